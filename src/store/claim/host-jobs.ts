import { type Requests, type Shape, shapeOf } from '../../job/placement/shape.ts';
import type { Connection } from '../connection.ts';
import { shapeFrom } from './shapes.ts';

const RUNNING = `SELECT runner, jid, spec FROM jobs INDEXED BY jobs_running JOIN shapes USING (shape)
  WHERE state = 'running'`;
const RUNNING_SHAPELESS = `SELECT runner, jid, owner, runners, cpus, memory, gpus, needs, lanes
  FROM jobs INDEXED BY jobs_shapeless WHERE shape IS NULL AND state IN ('pending', 'running') AND state = 'running'`;
const RUNNERS = `SELECT DISTINCT spec ->> '$.runners' AS runners FROM shapes
  WHERE top_jid IS NOT NULL AND spec ->> '$.runners' IS NOT NULL`;

/** A job that runs on a host, and what it takes there. */
export interface HostJob {
  readonly jid: number;
  readonly shape: Shape;
}

/** The running jobs of each host, by ascending jid. */
export function readHostJobs(connection: Connection): Map<string, HostJob[]> {
  const jobs = new Map<string, HostJob[]>();
  const add = (runner: unknown, job: HostJob): void => {
    const host = String(runner);
    const others = jobs.get(host);
    if (others === undefined) jobs.set(host, [job]);
    else others.push(job);
  };
  for (const { runner, jid, spec } of connection.all(RUNNING)) {
    add(runner, { jid: Number(jid), shape: shapeFrom(connection, String(spec)) });
  }
  for (const row of connection.all(RUNNING_SHAPELESS)) {
    add(row['runner'], { jid: Number(row['jid']), shape: shapeOf(row as unknown as Requests, null) });
  }
  for (const each of jobs.values()) each.sort((a, b) => a.jid - b.jid);
  return jobs;
}

/** The `runners` of jobs that may be ready. */
export function readRunners(connection: Connection): string[] {
  return connection.all(RUNNERS).map(({ runners }) => String(runners));
}
