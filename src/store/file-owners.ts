import type { Connection } from './connection.ts';

const OWNERS = "SELECT jid, state IN ('pending', 'holding') AS waits, stdin, data FROM jobs";

/** What a job says of its files, and whether it has yet to read them. */
export interface JobFiles {
  readonly jid: number;
  readonly waits: boolean;
  readonly stdin: string | null;
  readonly data: string | null;
}

/** What all jobs say of their files, one by one. */
export function* jobFiles(connection: Connection): Generator<JobFiles> {
  for (const { jid, waits, stdin, data } of connection.iterate(OWNERS)) {
    yield { jid: Number(jid), waits: waits === 1, stdin: textOrNull(stdin), data: textOrNull(data) };
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
