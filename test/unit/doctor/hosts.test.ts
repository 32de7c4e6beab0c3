import { describe, expect, test } from 'vitest';
import {
  compareNodes,
  type LocalHost,
  missingFeederFindings,
  versionFindings,
} from '../../../src/doctor/comparison.ts';
import { liveNodes, runningFindings, silentNodeFindings } from '../../../src/doctor/nodes.ts';
import type { Node } from '../../../src/queue/nodes/nodes.ts';

const NOW = '2026-01-01T12:00:00.000Z';
const of = { queueDirectory: '/q', serverNowMs: Date.parse(NOW) };

const FACTS = {
  version: '1.0.0',
  node: '20.1.0',
  user: 'ada',
  uid: '1000',
  mount: 'nfs4',
  mount_options: 'hard,rw,vers=4.2',
  clock_offset_s: '0.01',
};
const OWN: LocalHost = {
  facts: { user: 'ada', uid: 1000, mount: 'nfs4', mount_options: 'hard,rw,vers=4.2', node: '20.9.0' },
  locking: 'posix',
};

/** A node whose last heartbeat is `ageS` seconds old. */
function node(host: string, ageS: number, facts: Record<string, string> = {}): Node {
  const lastHeartbeat = new Date(of.serverNowMs - ageS * 1000).toISOString();
  return { host, isLost: false, lastHeartbeat, facts: { ...FACTS, ...facts } };
}

function found(facts: Record<string, string>): [string, string][] {
  return compareNodes([node('b', 1, facts)], OWN).map((finding) => [finding.level, finding.found]);
}

describe('heartbeats', () => {
  test('a node is living unless it missed three heartbeats or was declared lost', () => {
    const nodes = [node('a', 0), node('b', 89), node('c', 91), node('d', -500), node('e', 4, { beat: '1' })];
    const names = liveNodes([...nodes, { ...node('f', 0), isLost: true }], of.serverNowMs).map(({ host }) => host);
    expect(names).toEqual(['a', 'b', 'd']);
  });

  test('silent nodes are noted; their jobs are a problem if no feeder can declare the node lost', () => {
    const nodes = [node('a', 10), node('b', 1000), node('c', 1000)];
    const running = new Map([
      ['a', 1],
      ['b', 2],
      ['d', 1],
    ]);
    expect(silentNodeFindings(nodes, running, of).map((each) => [each.level, each.found])).toEqual([
      ['note', expect.stringContaining('the feeder on c has sent no heartbeat since')],
    ]);
    const found = [
      expect.stringMatching(/^2 jobs are running on b, which has sent no heartbeat since 2026/),
      '1 job is running on d, which has no feeder',
    ];
    const levels = (seen: readonly Node[], jobs: ReadonlyMap<string, number>): [string, string][] =>
      runningFindings(seen, jobs, of).map((each) => [each.level, each.found]);
    expect(levels(nodes, running)).toEqual(found.map((text) => ['note', text]));
    running.delete('a');
    expect(levels(nodes.slice(1), running)).toEqual(found.map((text) => ['problem', text]));
  });

  test('a feeder that starts or stops while the jobs are read counts as living', () => {
    expect(runningFindings([node('a', 1000), node('a', 1)], new Map([['a', 1]]), of)).toEqual([]);
  });
});

describe('a comparison of hosts', () => {
  test('finds nothing between equal hosts; the minor version of Node may differ', () => {
    expect(found({})).toEqual([]);
  });

  test.each([
    [{ mount: 'nfs' }, 'note', 'the queue is on nfs on b, but on nfs4 on this host'],
    [
      { mount_options: 'hard,rw,vers=4.1' },
      'note',
      'b mounts the queue with vers=4.1; this host mounts it with vers=4.2',
    ],
    [
      { mount_options: 'hard,noresvport,rw,vers=4.2' },
      'note',
      'b mounts the queue with noresvport; this host mounts it with nothing',
    ],
    [{ uid: '2000' }, 'problem', 'ada has the uid 2000 on b, but 1000 on this host'],
    [{ node: '22.0.0' }, 'note', 'b runs Node 22.0.0; this host runs Node 20.9.0'],
    [{ clock_offset_s: '-61.5' }, 'note', "the clock of b is 61.5 s behind the file server's"],
  ])('with %j is a %s: %s', (facts, level, text) => {
    expect(found(facts as unknown as Record<string, string>)).toEqual([[level, text]]);
  });

  test('reports a bad mount of another host', () => {
    expect(found({ mount_options: 'rw,soft,vers=4.2' })).toContainEqual([
      'problem',
      'on b: the file system is mounted with soft',
    ]);
  });

  test('ignores the uid of a different user', () => {
    expect(found({ user: 'bob', uid: '7' })).toEqual([]);
  });

  test('does not compare a feeder that reports no facts', () => {
    const { lastHeartbeat } = node('b', 1);
    const old = { host: 'b', isLost: false, lastHeartbeat, facts: { version: '0.1.0' } };
    expect(compareNodes([old], OWN).map(({ level }) => level)).toEqual(['not checked']);
  });
});

test('feeders of other versions are grouped by version', () => {
  const nodes = [node('a', 1, { version: '0.9' }), node('b', 1), node('c', 1, { version: '0.9' })];
  expect(versionFindings(nodes, '1.0.0').map((each) => each.found)).toEqual([
    'the feeder on a, c runs rq 0.9, but this host has rq 1.0.0',
  ]);
});

test('a named host without a feeder is a problem', () => {
  expect(missingFeederFindings([node('a', 1)], ['a', 'z'], '/q')).toMatchObject([
    { level: 'problem', found: 'no feeder on z has registered with the queue' },
  ]);
});
