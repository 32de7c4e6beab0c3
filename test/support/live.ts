import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended, Workbench } from './program.ts';

/** A call of rq that is in progress. */
export interface LiveCall {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** Starts a command of the queue. */
export function startLive(
  bench: Workbench,
  words: readonly string[],
  call: Parameters<Workbench['start']>[1] = {},
): LiveCall {
  const { child, ended } = bench.start(['QUEUE', ...words], call);
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (text: string) => {
      printed[name] += text;
    });
  }
  return { child, ended, stdout: () => printed.stdout, stderr: () => printed.stderr };
}

/** A shell command that waits until the test opens the gate of this name. */
export function gate(bench: Workbench, name: string): string {
  return `while [ ! -e ${join(bench.directory, name)} ]; do sleep 0.05; done`;
}

export function openGate(bench: Workbench, name: string): void {
  writeFileSync(join(bench.directory, name), '');
}
