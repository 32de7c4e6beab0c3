import type { HostFacts } from '../feeder/host/host-facts.ts';
import type { Node } from '../queue/nodes/nodes.ts';
import type { Locking } from '../queue/open.ts';
import { offsetFindings } from './clock-offset.ts';
import { type Finding, list, notChecked, note, problem, shortList } from './finding.ts';
import { mountFindings } from './mount.ts';

/** This host, with which other hosts are compared. */
export interface LocalHost {
  readonly facts: Pick<HostFacts, 'user' | 'uid' | 'mount' | 'mount_options' | 'node'>;
  readonly locking: Locking;
}

/** Reports feeders of other versions of rq. */
export function versionFindings(nodes: readonly Node[], version: string): Finding[] {
  const hosts = new Map<string, string[]>();
  for (const { host, facts } of nodes) {
    const other = facts['version'];
    if (other !== undefined && other !== version) hosts.set(other, [...(hosts.get(other) ?? []), host]);
  }
  return [...hosts].map(([other, names]) =>
    note(
      `the feeder on ${shortList(names)} runs rq ${other}, but this host has rq ${version}`,
      'after a newer version of rq has upgraded the schema, an older version cannot use the queue',
      'upgrade rq on the host with the older version, and then restart the feeder there with: rq q restart',
    ),
  );
}

/** Reports named hosts whose feeders are not seen. */
export function missingFeederFindings(
  nodes: readonly Node[],
  named: readonly string[],
  queueDirectory: string,
): Finding[] {
  const missing = named.filter((host) => nodes.every((node) => node.host !== host));
  return missing.map((host) =>
    problem(
      `no feeder on ${host} has registered with the queue`,
      'the feeder was not started, or the host cannot access the queue',
      `start a feeder on ${host} with: rq ${queueDirectory} start`,
    ),
  );
}

/** Checks the facts that feeders report about their hosts, and compares them with this host. */
export function compareNodes(nodes: readonly Node[], own: LocalHost): Finding[] {
  return nodes.flatMap(({ host, facts }) => {
    const { mount, mount_options: options, clock_offset_s: offset } = facts;
    if (mount === undefined || options === undefined || offset === undefined) {
      const found = `the feeder on ${host} is too old to report facts about its host`;
      return [notChecked(found, 'upgrade rq on the host, and then run: rq q restart')];
    }
    const given = { point: '', type: mount, options: new Set(options.split(',')) };
    return [
      ...mountFindings(given, own.locking).map((finding) => ({ ...finding, found: `on ${host}: ${finding.found}` })),
      ...compareMount(host, { mount, options }, own.facts),
      ...compareUser(host, facts, own.facts),
      ...compareNodeVersion(host, facts, own.facts),
      ...offsetFindings(Number(offset) * 1000, `the clock of ${host}`),
    ];
  });
}

function compareMount(
  host: string,
  { mount, options }: { readonly mount: string; readonly options: string },
  own: LocalHost['facts'],
): Finding[] {
  const why = 'hosts with different mounts see changes, and get errors, at different times';
  const advice = 'use the same file system type and mount options on all hosts';
  if (mount !== own.mount)
    return [note(`the queue is on ${mount} on ${host}, but on ${own.mount} on this host`, why, advice)];
  const [theirs, ours] = [options.split(','), own.mount_options.split(',')];
  const only = (one: readonly string[], other: readonly string[]): string =>
    one.filter((option) => !other.includes(option)).join(',') || 'nothing';
  const [onlyTheirs, onlyOurs] = [only(theirs, ours), only(ours, theirs)];
  const isSame = onlyTheirs === 'nothing' && onlyOurs === 'nothing';
  return list(
    !isSame && note(`${host} mounts the queue with ${onlyTheirs}; this host mounts it with ${onlyOurs}`, why, advice),
  );
}

function compareUser(host: string, facts: Node['facts'], own: LocalHost['facts']): Finding[] {
  if (facts['user'] !== own.user || facts['uid'] === String(own.uid)) return [];
  return [
    problem(
      `${own.user} has the uid ${facts['uid']} on ${host}, but ${own.uid} on this host`,
      'NFS identifies users by uid, and therefore treats this user as two different users',
      'give the user the same uid on all hosts',
    ),
  ];
}

function compareNodeVersion(host: string, facts: Node['facts'], own: LocalHost['facts']): Finding[] {
  const [theirs = '', ours = ''] = [facts['node'] ?? own.node, own.node];
  const why = 'better-sqlite3 is compiled for one major version of Node';
  return list(
    theirs.split('.')[0] !== ours.split('.')[0] &&
      note(
        `${host} runs Node ${theirs}; this host runs Node ${ours}`,
        why,
        'use one version of Node on all hosts that share an installation',
      ),
  );
}
