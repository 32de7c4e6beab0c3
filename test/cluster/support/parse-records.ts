import type { JobRecord } from './job-records.ts';

/** Parses the records of jobs as grep prints them: `./JID.ATTEMPT.UUID:start HOST TIME`, `…:end STATUS HOST TIME`. */
export function parseRecords(text: string): JobRecord[] {
  const records = new Map<string, JobRecord>();
  for (const line of text.split('\n')) {
    const match = /^\.\/((\d+)\.(\d+)\.[^:]*):(?:start|end (\d+)) (\S+) ([\d.]+)$/.exec(line);
    if (match === null) continue;
    const [, name = '', jid, attempt, status, host = '', time] = match;
    const before = records.get(name);
    const started = before?.started ?? Number(time);
    const end = status === undefined ? {} : { ended: Number(time), status: Number(status) };
    const none = { ended: undefined, status: undefined };
    records.set(name, { jid: Number(jid), attempt: Number(attempt), host, started, ...none, ...end });
  }
  return [...records.values()];
}
