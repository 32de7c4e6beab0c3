import { spawn } from 'node:child_process';
import { WASI } from 'node:wasi';

/** Known to TypeScript only with the types of browsers. */
declare const WebAssembly: { readonly Memory: new (size: { initial: number }) => object };

/**
 * Ends the whole process with a status from any of its threads, also while another is blocked in the kernel: that one
 * is killed, which it accepts on NFS, and the status stays. In a thread of its own `process.exit` ends but the thread;
 * `proc_exit` of WASI is documented to end the process (nodejs.org/docs/latest-v20.x/api/wasi.html, returnOnExit).
 */
export function endProcess(status: number): void {
  const wasi = new WASI({ version: 'preview1', returnOnExit: false });
  const { proc_exit: exit } = wasi.wasiImport as { proc_exit: (status: number) => void };
  wasi.start({ exports: { memory: new WebAssembly.Memory({ initial: 1 }), _start: () => exit(status) } });
}

/**
 * To be called before `endProcess`, which waits for the threads of Node's pool: one that is blocked too would keep the
 * process for ever. Another process then kills this one, and the status is that of a killed process.
 */
export function killSoon(): void {
  spawn('/bin/sh', ['-c', 'sleep 1; kill -KILL "$PPID"'], { stdio: 'ignore', detached: true }).unref();
}
