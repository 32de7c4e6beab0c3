import type { Connection, Row } from './connection.ts';

const OWNERS = "SELECT jid, state IN ('pending', 'holding') AS waits, stdin, data, script FROM jobs";
const ALL = `${OWNERS} ORDER BY jid`;
const PAGE = `${OWNERS} WHERE jid > ? ORDER BY jid LIMIT ?`;

/** The files of a job as its row names them, and whether the job still needs them. */
export interface JobFilesRow {
  readonly jid: number;
  readonly waits: boolean;
  readonly stdin: string | null;
  readonly data: string | null;
  readonly script: string | null;
}

/** The files of all jobs, one job at a time, by ascending jid. */
export function* allJobFiles(connection: Connection): Generator<JobFilesRow> {
  for (const row of connection.iterate(ALL)) yield filesFromRow(row);
}

/** The files of the first jobs after a jid. */
export function jobFilesAfter(connection: Connection, after: number, limit: number): JobFilesRow[] {
  return connection.all(PAGE, [after, limit]).map(filesFromRow);
}

function filesFromRow({ jid, waits, stdin, data, script }: Row): JobFilesRow {
  const files = { stdin: textOrNull(stdin), data: textOrNull(data), script: textOrNull(script) };
  return { jid: Number(jid), waits: waits === 1, ...files };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
