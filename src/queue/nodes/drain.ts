import { hostName, userName } from '../../job/host.ts';
import { drainedHosts, drainHost, hasUnbegun, undrainHost } from '../../store/control/hosts.ts';
import { raiseControlVersion } from '../../store/control/wishes.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';
import type { QueueChanges } from '../wait/queue-changes.ts';
import { drainFields, hostRecordsIn } from './drained-hosts.ts';
import { readNodes } from './nodes.ts';
import { silentHosts } from './silent-hosts.ts';

/** A host as `drain` and `undrain` print it. */
export interface DrainReport {
  readonly host: string;
  /** Since when; null if it is not drained. */
  readonly drained: string | null;
  readonly drained_by: string | null;
  readonly reason: string | null;
  readonly running: number;
}

/** Drains hosts, so that they claim no jobs. Returns their names, each once. */
export async function drainHosts(queue: Queue, names: readonly string[], reason: string | null): Promise<string[]> {
  const by = `${userName()} on ${hostName()}`;
  const nodes = readNodes(queue.directory).map(({ host }) => host);
  const hosts = [...new Set(names.map((name) => meantHost(name, nodes)))];
  await transaction(queue, ({ connection }) => {
    const drained = queue.clock.now();
    for (const host of hosts) drainHost(connection, { host, drained, by, reason });
    raiseControlVersion(connection);
  });
  return hosts;
}

/** Reverses `drainHosts`. Returns the names, each once, and those of hosts that were not drained. */
export async function undrainHosts(
  queue: Queue,
  names: readonly string[],
): Promise<{ readonly hosts: string[]; readonly unchanged: string[] }> {
  return await transaction(queue, ({ connection }) => {
    const drained = drainedHosts(connection).map(({ host }) => host);
    const hosts = [...new Set(names.map((name) => meantHost(name, drained)))];
    const unchanged = hosts.filter((host) => !undrainHost(connection, host));
    if (unchanged.length < hosts.length) raiseControlVersion(connection);
    return { hosts, unchanged };
  });
}

/**
 * Waits until drained hosts that feed have released the jobs that they had claimed and not begun, at most until
 * `deadlineMs` of the monotonic clock.
 */
export async function waitForReleases(
  queue: Queue,
  hosts: readonly string[],
  changes: QueueChanges,
  deadlineMs: number,
): Promise<void> {
  const silent = new Set(silentHosts(queue, hosts).map(({ host }) => host));
  const feeding = hosts.filter((host) => !silent.has(host));
  changes.start();
  try {
    while (await read(queue, (connection) => feeding.some((host) => hasUnbegun(connection, host)))) {
      if (!(await changes.next(deadlineMs - queue.clock.monotonicMs()))) return;
    }
  } finally {
    changes.stop();
  }
}

export async function drainReports(queue: Queue, hosts: readonly string[]): Promise<DrainReport[]> {
  return await read(queue, (connection) => {
    const { running, drains } = hostRecordsIn(connection);
    return hosts.map((host) => {
      const drain = drains.find((each) => each.host === host);
      return { host, ...drainFields(drain), running: running.get(host) ?? 0 };
    });
  });
}

/** The host with a name, or the only one with this short name. */
function meantHost(name: string, known: readonly string[]): string {
  if (known.includes(name)) return name;
  const [match, ...others] = known.filter((host) => host.split('.', 1)[0] === name);
  return match !== undefined && others.length === 0 ? match : name;
}
