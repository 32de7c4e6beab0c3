import { describe, expect, test } from 'vitest';
import { compareNodes, judgeNamed, judgeVersions, type Own } from '../../../src/doctor/comparison.ts';
import { judgeBeats, judgeRunning, living } from '../../../src/doctor/nodes.ts';
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
const OWN: Own = {
  facts: { user: 'ada', uid: 1000, mount: 'nfs4', mount_options: 'hard,rw,vers=4.2', node: '20.9.0' },
  locking: 'posix',
};

/** A node whose last beat was so many seconds ago. */
function node(host: string, ageS: number, facts: Record<string, string> = {}): Node {
  const lastHeartbeat = new Date(of.serverNowMs - ageS * 1000).toISOString();
  return { host, isLost: false, lastHeartbeat, facts: { ...FACTS, ...facts } };
}

function found(facts: Record<string, string>): [string, string][] {
  return compareNodes([node('b', 1, facts)], OWN).map((finding) => [finding.level, finding.found]);
}

describe('sign of life', () => {
  test('a node that missed three beats is not living, nor one that others took for lost; one that is ahead is', () => {
    const nodes = [node('a', 0), node('b', 89), node('c', 91), node('d', -500), node('e', 4, { beat: '1' })];
    const names = living([...nodes, { ...node('f', 0), isLost: true }], of.serverNowMs).map(({ host }) => host);
    expect(names).toEqual(['a', 'b', 'd']);
  });

  test('silent nodes without jobs are noted, and so are jobs of silent nodes while another could take them for lost', () => {
    const nodes = [node('a', 10), node('b', 1000), node('c', 1000)];
    const running = new Map([
      ['a', 1],
      ['b', 2],
      ['d', 1],
    ]);
    expect(judgeBeats(nodes, running, of).map((each) => [each.level, each.found])).toEqual([
      ['note', expect.stringContaining('the feeder of c since')],
    ]);
    const found = [
      expect.stringMatching(/^2 jobs run on b, which has no sign of life since 2026/),
      '1 job runs on d, which has no feeder',
    ];
    const levels = (seen: readonly Node[], jobs: ReadonlyMap<string, number>): [string, string][] =>
      judgeRunning(seen, jobs, of).map((each) => [each.level, each.found]);
    expect(levels(nodes, running)).toEqual(found.map((text) => ['note', text]));
    running.delete('a');
    expect(levels(nodes.slice(1), running)).toEqual(found.map((text) => ['problem', text]));
  });

  test('a feeder that came or went while the jobs were read counts as one that is there', () => {
    expect(judgeRunning([node('a', 1000), node('a', 1)], new Map([['a', 1]]), of)).toEqual([]);
  });
});

describe('a comparison of hosts', () => {
  test('finds nothing where they are alike, and is told of a minor version of Node as alike', () => {
    expect(found({})).toEqual([]);
  });

  test.each([
    [{ mount: 'nfs' }, 'note', 'the queue is on nfs on b, here on nfs4'],
    [{ mount_options: 'hard,rw,vers=4.1' }, 'note', 'b mounts it with vers=4.1, this host with vers=4.2'],
    [{ mount_options: 'hard,noresvport,rw,vers=4.2' }, 'note', 'b mounts it with noresvport, this host with nothing'],
    [{ uid: '2000' }, 'problem', 'ada has the uid 2000 on b, and 1000 here'],
    [{ node: '22.0.0' }, 'note', 'b runs Node 22.0.0, this host 20.9.0'],
    [{ clock_offset_s: '-61.5' }, 'note', "the clock of b is 61.5 s behind the file server's"],
  ])('with %j is a %s: %s', (facts, level, text) => {
    expect(found(facts as unknown as Record<string, string>)).toEqual([[level, text]]);
  });

  test('finds what is wrong with the mount of another host by itself', () => {
    expect(found({ mount_options: 'rw,soft,vers=4.2' })).toContainEqual(['problem', 'on b: it is mounted with soft']);
  });

  test('does not mind another user, who may have another number', () => {
    expect(found({ user: 'bob', uid: '7' })).toEqual([]);
  });

  test('says of a feeder that does not tell of its host that it was not compared', () => {
    const { lastHeartbeat } = node('b', 1);
    const old = { host: 'b', isLost: false, lastHeartbeat, facts: { version: '0.1.0' } };
    expect(compareNodes([old], OWN).map(({ level }) => level)).toEqual(['not checked']);
  });
});

test('feeders of other versions are named by version', () => {
  const nodes = [node('a', 1, { version: '0.9' }), node('b', 1), node('c', 1, { version: '0.9' })];
  expect(judgeVersions(nodes, '1.0.0').map((each) => each.found)).toEqual([
    'the feeder of a, c is of rq 0.9, and this is rq 1.0.0',
  ]);
});

test('a host that was named and does not report is a problem', () => {
  expect(judgeNamed([node('a', 1)], ['a', 'z'], '/q')).toMatchObject([
    { level: 'problem', found: 'no feeder of z reports' },
  ]);
});
