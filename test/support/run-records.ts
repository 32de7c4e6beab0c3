import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workbench } from './program.ts';

/** A start or an end that a job recorded itself, with its time in milliseconds. */
export interface RunRecord {
  readonly jid: number;
  readonly host: string;
  readonly tag: string;
  readonly owner: string;
  readonly kind: 'start' | 'end';
  readonly atMs: number;
}

/** A command line that records its start and its end around the given commands. */
export function recorded(commands: string): string {
  const record = (kind: string): string =>
    `echo $RQ_JID $RQ_RUNNER $RQ_OWNER ${kind} $EPOCHREALTIME "$RQ_TAG" >>records`;
  return `${record('start')}; ${commands}; ${record('end')}`;
}

/** The records in the order of their times. Each was written by one write, so that the lines of jobs do not mix. */
export function recordsIn(bench: Workbench): RunRecord[] {
  const path = join(bench.directory, 'records');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  const records = lines.map((line): RunRecord => {
    const [jid, host = '', owner = '', kind, seconds, tag = ''] = line.split(' ');
    return {
      jid: Number(jid),
      host,
      owner,
      tag,
      kind: kind === 'start' ? 'start' : 'end',
      atMs: Number(seconds) * 1000,
    };
  });
  return records.sort((a, b) => a.atMs - b.atMs);
}

/** The highest number of jobs that ran at the same time. */
export function mostRunning(records: readonly RunRecord[]): number {
  let running = 0;
  return records.reduce((most, { kind }) => {
    running += kind === 'start' ? 1 : -1;
    return Math.max(most, running);
  }, 0);
}
