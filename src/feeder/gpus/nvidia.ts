import { existsSync } from 'node:fs';
import { systemClock } from '../../job/clock.ts';
import { runProgram } from '../../job/run-program.ts';

/** Long, because without persistence mode the driver initializes each GPU first. */
const TIMEOUT_MS = 30_000;
/** Until then, a program that was killed has ended, unless it hangs in the driver. */
const END_MS = 1_000;
/** It exists if the driver is loaded. */
const DRIVER = '/proc/driver/nvidia/version';
const GPU = /^GPU \d+: .*\(UUID: ([^)\s]+)\)/;
/** A part of the GPU above it. CUDA uses the parts in its place. */
const PART = /^\s+MIG .*\(UUID: ([^)\s]+)\)/;

export interface FoundDevices {
  readonly devices: readonly string[];
  /** Why the GPUs of the host could not be found. */
  readonly problem?: string;
}

/** The GPUs that `nvidia-smi -L` lists, by UUID, in its order. It never takes longer than the time limit. */
export async function nvidiaDevices(program = 'nvidia-smi', timeoutMs = TIMEOUT_MS): Promise<FoundDevices> {
  const options = {
    stdin: 'ignore',
    stderr: 'ignore',
    reject: false,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  } as const;
  const child = runProgram(program, ['-L'], options);
  // A process that hangs in the driver does not end, and its own processes keep its output open.
  const ended = new AbortController();
  const deadline = systemClock.sleep(timeoutMs + END_MS, ended.signal).then(() => undefined);
  const result = await Promise.race([child, deadline]).finally(() => ended.abort());
  if (result === undefined || result.timedOut) {
    return { devices: [], problem: `"nvidia-smi -L" did not end within ${timeoutMs / 1000} s` };
  }
  if (!result.failed) return { devices: parseList(result.stdout) };
  if (result.exitCode === undefined || !existsSync(DRIVER)) return { devices: [] };
  const [message = ''] = result.stdout.split('\n');
  return { devices: [], problem: `"nvidia-smi -L" failed with exit status ${result.exitCode}: ${message}` };
}

export function parseList(text: string): string[] {
  const gpus: { readonly uuid: string; readonly parts: string[] }[] = [];
  for (const line of text.split('\n')) {
    const uuid = GPU.exec(line)?.[1];
    const part = PART.exec(line)?.[1];
    if (uuid !== undefined) gpus.push({ uuid, parts: [] });
    if (part !== undefined) gpus.at(-1)?.parts.push(part);
  }
  return gpus.flatMap(({ uuid, parts }) => (parts.length === 0 ? [uuid] : parts));
}
