import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { matchesHost } from '../../../src/job/placement/host-patterns.ts';
import { freeOf } from '../../../src/job/placement/why/capacity.ts';
import type { HostState, HostVerdict } from '../../../src/job/placement/why/facts.ts';
import { explainPage, type JobExplanation } from '../../../src/queue/jobs/why/explain-page.ts';
import { placementRules } from '../../../src/queue/placement-rules.ts';
import { type ClaimRequest, claimJobs, isClaimable } from '../../../src/store/claim/claims.ts';
import { readHostJobs } from '../../../src/store/claim/host-jobs.ts';
import { shapeJobs } from '../../../src/store/claim/shapes.ts';
import { selectWaiting } from '../../../src/store/claim/waiting-rows.ts';
import type { Connection } from '../../../src/store/connection.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { anyCluster, FIRST_JID, fillCluster, NOW, type RandomCluster } from '../../support/random-cluster.ts';

let connection: Connection;

beforeEach(() => {
  connection = memoryDatabase();
  connection.migrate();
});

afterEach(() => connection.close());

const ONE_CPU = { cpus: 1, memory: null, gpus: 0, resources: {} };
const ALL = { all: true, ranges: [], states: [], pairs: [] };

function explainAll(hosts: readonly HostState[]): JobExplanation[] {
  const rows = selectWaiting(connection, ALL, { after: 0, limit: 1_000 }, true);
  return explainPage(connection, rows, { hosts, serverNow: NOW }, NOW);
}

/** The verdicts of pending jobs for a host, by jid. */
function verdictsFor(host: string, explanations: readonly JobExplanation[]): Map<number, HostVerdict> {
  return new Map(
    explanations.flatMap(({ jid, hosts = [] }) => {
      return hosts.filter((each) => each.host === host).map((verdict): [number, HostVerdict] => [jid, verdict]);
    }),
  );
}

/** What the host would claim with what is free there, or with all that it has. */
function requestOf({ host, capacity }: HostState, isEmpty = false): ClaimRequest {
  const taken = isEmpty ? [] : (readHostJobs(connection).get(host) ?? []).map(({ shape }) => shape);
  const rules = placementRules(connection);
  return { room: freeOf(capacity, taken), mayRun: (runners) => matchesHost(runners, host), rules };
}

function stateOf(jid: number, { jobs }: RandomCluster): string {
  return jobs[jid - FIRST_JID]?.state ?? '';
}

/** Does work whose changes are undone. */
function undone<T>(work: () => T): T {
  connection.run('SAVEPOINT undone');
  try {
    return work();
  } finally {
    connection.run('ROLLBACK TO undone');
    connection.run('RELEASE undone');
  }
}

test('a host has the verdict "now" for exactly the jobs that it would claim', () => {
  const claims = { all: 0, unready: 0 };
  const property = fc.property(anyCluster, (cluster) => {
    const hosts = fillCluster(connection, cluster);
    const explanations = explainAll(hosts);
    for (const [index, host] of hosts.entries()) {
      const verdicts = verdictsFor(host.host, explanations);
      const now = [...verdicts].filter(([, { verdict }]) => verdict === 'now').map(([jid]) => jid);
      const claimant = { host: host.host, boot: 'b', journal: 'j', now: NOW };
      const request = requestOf(host);
      const isIdle = !host.isFeeding || cluster.hosts[index]?.isDrained === true;
      const { claimed } = undone(() => claimJobs(connection, claimant, request));
      const expected = isIdle ? [] : claimed.map(({ jid }) => jid);
      expect(now).toEqual([...expected].sort((a, b) => a - b));
      claims.all += expected.length;
      claims.unready += expected.filter((jid) => ['overdue', 'shapeless'].includes(stateOf(jid, cluster))).length;
    }
  });
  fc.assert(property, { numRuns: 250 });
  expect(claims.all).toBeGreaterThan(250);
  expect(claims.unready).toBeGreaterThan(30);
});

test('a host with one free cpu has the verdict "now" for a job exactly if it can claim one, and would claim that one', () => {
  const property = fc.property(anyCluster, (cluster) => {
    const hosts = fillCluster(connection, cluster).map((host) => ({ ...host, isFeeding: true, capacity: ONE_CPU }));
    connection.execute("DELETE FROM hosts; DELETE FROM jobs WHERE state = 'running'");
    connection.run('UPDATE jobs SET due = NULL WHERE due <= ?', [NOW]);
    shapeJobs(connection, 1_000);
    const explanations = explainAll(hosts);
    for (const host of hosts) {
      const claimant = { host: host.host, boot: 'b', journal: 'j', now: NOW };
      const now = [...verdictsFor(host.host, explanations)].filter(([, { verdict }]) => verdict === 'now');
      expect(isClaimable(connection, claimant, requestOf(host))).toBe(now.length === 1);
      const { claimed } = undone(() => claimJobs(connection, claimant, requestOf(host)));
      expect(now.map(([jid]) => jid)).toEqual(claimed.map(({ jid }) => jid));
    }
  });
  fc.assert(property, { numRuns: 120 });
});

const FREE_JOB = `UPDATE jobs SET state = 'pending', gate = NULL, due = NULL, failed_starts = NULL WHERE jid = ?`;

test('a host has the verdict "never" for exactly the jobs that it could not run if nothing else were in the queue', () => {
  let never = 0;
  const property = fc.property(anyCluster, (cluster) => {
    const hosts = fillCluster(connection, cluster);
    const explanations = explainAll(hosts);
    for (const host of hosts) {
      for (const [jid, { verdict, cause }] of verdictsFor(host.host, explanations)) {
        expect(cause === undefined).toBe(verdict === 'now');
        const { claimed } = undone(() => {
          const isHopeless = connection.get('SELECT 1 FROM jobs WHERE jid = ? AND gate = 2', [jid]) !== undefined;
          connection.run('DELETE FROM jobs WHERE jid <> ?', [jid]);
          connection.execute('UPDATE lanes SET max = NULL, paused = NULL');
          if (!isHopeless) connection.run(FREE_JOB, [jid]);
          const claimant = { host: host.host, boot: 'b', journal: 'j', now: NOW };
          return claimJobs(connection, claimant, requestOf(host, true));
        });
        expect(`${jid} ${claimed.length === 0 ? 'never' : 'sometimes'}`).toBe(
          `${jid} ${verdict === 'never' ? 'never' : 'sometimes'}`,
        );
        if (verdict === 'never') never += 1;
      }
    }
  });
  fc.assert(property, { numRuns: 150 });
  expect(never).toBeGreaterThan(100);
});

test('every pending job has a reason, and each host a verdict', () => {
  const property = fc.property(anyCluster, (cluster) => {
    const hosts = fillCluster(connection, cluster);
    for (const { state, why, hosts: verdicts } of explainAll(hosts)) {
      expect(why.length).toBeGreaterThan(0);
      for (const sentence of why) expect(sentence).toMatch(/^\S.*\S$/);
      expect(verdicts === undefined).toBe(state !== 'pending');
      if (verdicts !== undefined) expect(verdicts.length).toBeGreaterThanOrEqual(hosts.length);
      const isNow = verdicts?.some(({ verdict }) => verdict === 'now') === true;
      if (state === 'pending') expect(why.some((sentence) => sentence.endsWith('can start it now'))).toBe(isNow);
    }
  });
  fc.assert(property, { numRuns: 120 });
});
