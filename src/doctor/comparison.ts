import type { HostFacts } from '../feeder/host/host-facts.ts';
import type { Node } from '../queue/nodes/nodes.ts';
import type { Locking } from '../queue/open.ts';
import { judgeOffset } from './clock-offset.ts';
import { type Finding, notChecked, note, phrase, problem } from './finding.ts';
import { judgeMount } from './mount.ts';

/** What a host is compared with: this one. */
export interface Own {
  readonly facts: Pick<HostFacts, 'user' | 'uid' | 'mount' | 'mount_options' | 'node'>;
  readonly locking: Locking;
}

/** Which feeders are of other versions of rq than this one. */
export function judgeVersions(nodes: readonly Node[], version: string): Finding[] {
  const hosts = new Map<string, string[]>();
  for (const { host, facts } of nodes) {
    const other = facts['version'];
    if (other !== undefined && other !== version) hosts.set(other, [...(hosts.get(other) ?? []), host]);
  }
  return [...hosts].map(([other, names]) =>
    note(
      `the feeder of ${phrase(names)} is of rq ${other}, and this is rq ${version}`,
      'once a newer rq changed the schema of the queue, older ones cannot use it',
      'upgrade rq there, and then: rq q restart; the jobs run on',
    ),
  );
}

/** Which of the named hosts have no feeder that reports. */
export function judgeNamed(nodes: readonly Node[], named: readonly string[], queueDirectory: string): Finding[] {
  const missing = named.filter((host) => nodes.every((node) => node.host !== host));
  return missing.map((host) =>
    problem(
      `no feeder of ${host} reports`,
      'none was started there, or it does not see this directory as that host mounts it',
      `start it there: rq ${queueDirectory} start`,
    ),
  );
}

/** How what feeders report differs from this host, and what is wrong with it by itself. */
export function compareNodes(nodes: readonly Node[], own: Own): Finding[] {
  return nodes.flatMap(({ host, facts }) => {
    const { mount, mount_options: options, clock_offset_s: offset } = facts;
    if (mount === undefined || options === undefined || offset === undefined) {
      const found = `the feeder of ${host} does not tell of its host: it is of an older rq`;
      return [notChecked(found, 'upgrade rq there, and then: rq q restart')];
    }
    const given = { point: '', type: mount, options: new Set(options.split(',')) };
    return [
      ...judgeMount(given, own.locking).map((finding) => ({ ...finding, found: `on ${host}: ${finding.found}` })),
      ...compareMount(host, { mount, options }, own.facts),
      ...compareUser(host, facts, own.facts),
      ...compareNode(host, facts, own.facts),
      ...judgeOffset(Number(offset) * 1000, `the clock of ${host}`),
    ];
  });
}

function compareMount(
  host: string,
  { mount, options }: { readonly mount: string; readonly options: string },
  own: Own['facts'],
): Finding[] {
  const why = 'hosts that mount one directory differently see changes, and fail, at different times';
  const advice = 'mount it alike on all hosts';
  if (mount !== own.mount) return [note(`the queue is on ${mount} on ${host}, here on ${own.mount}`, why, advice)];
  const [theirs, ours] = [options.split(','), own.mount_options.split(',')];
  const only = (one: readonly string[], other: readonly string[]): string =>
    one.filter((option) => !other.includes(option)).join(',') || 'nothing';
  if (only(theirs, ours) === 'nothing' && only(ours, theirs) === 'nothing') return [];
  return [note(`${host} mounts it with ${only(theirs, ours)}, this host with ${only(ours, theirs)}`, why, advice)];
}

function compareUser(host: string, facts: Node['facts'], own: Own['facts']): Finding[] {
  if (facts['user'] !== own.user || facts['uid'] === String(own.uid)) return [];
  return [
    problem(
      `${own.user} has the uid ${facts['uid']} on ${host}, and ${own.uid} here`,
      'NFS knows users by their numbers: neither can use the files of the other',
      'give the user one uid on all hosts',
    ),
  ];
}

function compareNode(host: string, facts: Node['facts'], own: Own['facts']): Finding[] {
  const [theirs = '', ours = ''] = [facts['node'] ?? own.node, own.node];
  if (theirs.split('.')[0] === ours.split('.')[0]) return [];
  const why = "the database's native part is built for one major version of Node";
  return [
    note(`${host} runs Node ${theirs}, this host ${ours}`, why, 'use one on all hosts that share an installation'),
  ];
}
