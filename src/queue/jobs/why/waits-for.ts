import type { Job, WaitingJob } from '../../../job/job.ts';
import { type Shape, shapeOf, shapeText } from '../../../job/placement/shape.ts';
import { limitBlockers, ownBlockers } from '../../../job/placement/why/blockers.ts';
import type { Gate } from '../../../job/placement/why/facts.ts';
import { missingHost } from '../../../job/placement/why/waits-for.ts';
import { gatesOf, readGates } from '../../../store/claim/gates.ts';
import { limitsIn } from '../../../store/claim/limits.ts';
import { readArrays } from '../../../store/claim/waiting-rows.ts';
import type { Connection } from '../../../store/connection.ts';
import { SCHEMA_VERSION } from '../../../store/schema.ts';
import { type HostStates, hostStates } from '../../nodes/host-states.ts';
import type { Queue } from '../../open.ts';
import { placementRules } from '../../placement-rules.ts';

/** A pending job and what it waits for, as far as the database shows. */
interface Waiting {
  readonly job: WaitingJob & { waits_for?: string | undefined };
  readonly shape: Shape;
  readonly parts: readonly string[];
}

/**
 * Determines the field `waits_for` of pending jobs: what they wait for besides their turn and a free place. Most jobs wait
 * for nothing else, and cost no further read. Use one for each list.
 */
export class WaitsFor {
  private hosts: HostStates | undefined;
  private readonly missing = new Map<string, string | undefined>();

  constructor(private readonly queue: Queue) {}

  /**
   * Reads what the jobs of a transaction wait for. The returned function, called after the transaction, adds the field and
   * returns the jobs.
   */
  read(connection: Connection, jobs: Job[]): () => Job[] {
    const pending = jobs.filter((job): job is WaitingJob => job.state === 'pending');
    // A queue of an older schema has only jobs that request certain hosts.
    const waiting =
      connection.version() === SCHEMA_VERSION
        ? this.waitingOf(connection, pending)
        : pending.map((job) => ({ job, shape: shapeOf(job, null), parts: [] }));
    return () => {
      for (const each of waiting) this.complete(each);
      return jobs;
    };
  }

  private waitingOf(connection: Connection, pending: readonly WaitingJob[]): Waiting[] {
    if (pending.length === 0) return [];
    const rules = placementRules(connection);
    const special = rules.maxPerUser === null ? pending.filter(isSpecial) : pending;
    if (special.length === 0) return [];
    const arrays = readArrays(
      connection,
      special.flatMap(({ array }) => array ?? []),
    );
    const gates = gatesByJob(connection, special);
    const maxFails = new Map([...arrays].flatMap(([array, { maxFails: max }]) => (max === null ? [] : [[array, max]])));
    const limits = { limits: limitsIn(connection, rules), maxFails };
    const now = this.queue.clock.now();
    const reached = new Map<string, readonly string[]>();
    return special.map((job) => {
      const shape = shapeOf(job, (job.array === null ? undefined : arrays.get(job.array)?.limits) ?? null);
      const key = shapeText(shape);
      const shorts = reached.get(key) ?? limitBlockers(shape, limits).map(({ short }) => short);
      reached.set(key, shorts);
      const own = ownBlockers({ job, gate: gates.get(job.jid), tries: 0 }, { now, serverNow: now });
      return { job, shape, parts: [...own.map(({ short }) => short), ...shorts] };
    });
  }

  private complete({ job, shape, parts }: Waiting): void {
    const host = this.missingFor(shape);
    const all = host === undefined ? parts : [...parts, host];
    if (all.length > 0) job.waits_for = all.join('; ');
  }

  /** The files of the nodes are read once, for the first job that needs a certain host. */
  private missingFor(shape: Shape): string | undefined {
    const { runners, cpus, memory, gpus, needs } = shape;
    if (runners === null && cpus === 1 && memory === 0 && gpus === 0 && Object.keys(needs).length === 0)
      return undefined;
    const key = JSON.stringify([runners, cpus, memory, gpus, needs]);
    if (!this.missing.has(key)) {
      this.hosts ??= hostStates(this.queue);
      this.missing.set(key, missingHost(shape, this.hosts.hosts));
    }
    return this.missing.get(key);
  }
}

/** Whether a job requests anything but one cpu. */
function isSpecial({ due, after, lanes, array, runners, cpus, memory, gpus, needs }: WaitingJob): boolean {
  return [due, after, lanes, array, runners, cpus, memory, gpus, needs].some((value) => value !== null);
}

function gatesByJob(connection: Connection, jobs: readonly WaitingJob[]): Map<number, Gate> {
  const dependent = jobs.filter(({ after }) => after !== null).map(({ jid }) => jid);
  if (dependent.length === 0) return new Map();
  const gateOf = gatesOf(connection, dependent);
  const gates = readGates(connection, gateOf.values());
  return new Map(
    [...gateOf].flatMap(([jid, gate]): [number, Gate][] => {
      const found = gates.get(gate);
      return found === undefined ? [] : [[jid, found]];
    }),
  );
}
