import { spawn } from 'node:child_process';
import { WASI } from 'node:wasi';

/** TypeScript declares it only with the types of browsers. */
declare const WebAssembly: { readonly Memory: new (size: { initial: number }) => object };

/**
 * Ends the process with a status from any thread, even while the kernel blocks the main thread. In a worker thread,
 * `process.exit` ends only that thread. `proc_exit` of WASI is documented to end the process
 * (nodejs.org/docs/latest-v20.x/api/wasi.html, returnOnExit). It waits for Node's pool threads, of which one may be
 * blocked as well. Another process therefore kills this one after a second, and the status is then that of a killed process.
 */
export function endProcess(status: number): never {
  spawn('/bin/sh', ['-c', 'sleep 1; kill -KILL "$PPID"'], { stdio: 'ignore', detached: true }).unref();
  const wasi = new WASI({ version: 'preview1', returnOnExit: false });
  const { proc_exit: exit } = wasi.wasiImport as { proc_exit: (status: number) => void };
  wasi.start({ exports: { memory: new WebAssembly.Memory({ initial: 1 }), _start: () => exit(status) } });
  throw new Error('proc_exit returned');
}
