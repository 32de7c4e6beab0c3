import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Protection, programWithout, without } from '../support/protections.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull, print, reportFacts, rounds } from './support/scenario.ts';
import { SteeredProcess } from './support/steered-process.ts';

const STALE_MS = '3000';
const NO_LOCKS = 'vers=3,nolock,hard';
/** So many jobs that the database grows. */
const MANY = 300;

/** How many jobs have a tag, where there is more than one. */
const counts: Readonly<Record<string, number>> = { between: MANY, last: MANY, late: MANY };

/** The protections that are taken out, what that must come to, and the journal's mode: where not DELETE, one more is out. */
type Case = readonly [without: readonly Protection[], isRight: boolean, journalMode: 'DELETE' | 'TRUNCATE'];

const LOOK = 'lease check before the database is opened';
const IN_MEMORY = 'no cache spill before the commit';

const IN_THE_WORK: Case[] = [
  [[], true, 'DELETE'],
  [['fence'], true, 'DELETE'],
  [['ownership check'], true, 'DELETE'],
  [[IN_MEMORY], false, 'DELETE'],
  [[], true, 'TRUNCATE'],
  [['ownership check'], false, 'TRUNCATE'],
];

const BEFORE_THE_BEGIN: Case[] = [
  [[], true, 'DELETE'],
  [[LOOK], true, 'DELETE'],
  [[LOOK, IN_MEMORY], false, 'DELETE'],
  [[LOOK, 'ownership check'], true, 'TRUNCATE'],
  [[LOOK, 'ownership check', 'fence'], false, 'TRUNCATE'],
];

/** What a host sees in the end: how many jobs of each tag, rows of a writer that died, SQLite's word; or its error. */
interface Look {
  readonly jobs: Readonly<Record<string, number>>;
  readonly dead: number;
  readonly integrity: string;
}

describeInFull('A protection of transactions is taken out', () => {
  let lab: Lab | undefined;
  let queues = 0;
  let pauses = 0;

  afterAll(async () => {
    await lab?.down();
  });

  async function hosts(mountOptions?: string): Promise<Lab> {
    await lab?.down();
    lab = undefined;
    lab = await Lab.up({ clients: 2, ...(mountOptions === undefined ? {} : { mountOptions }) });
    return lab;
  }

  /** A new queue, and a user of it on each host, both without the protections. */
  async function users(
    used: Lab,
    out: readonly Protection[],
    create: string,
    journalMode = 'DELETE',
  ): Promise<[SteeredProcess, SteeredProcess]> {
    const queue = `${SHARE}/${++queues}`;
    await used.output('n1', `${create.replace('QUEUE', queue)} && mkdir ${queue}.lease`);
    const fixture = await bundleFixture('steered-queue', without(...out));
    const start = (host: 'n1' | 'n2'): Promise<SteeredProcess> =>
      SteeredProcess.start(used, host, fixture, [queue, STALE_MS, journalMode]);
    const both = await Promise.all([start('n1'), start('n2')]);
    return both;
  }

  /** As `users`, each of which has inserted a job. */
  async function writers(
    used: Lab,
    out: readonly Protection[],
    create: string,
    journalMode = 'DELETE',
  ): Promise<[SteeredProcess, SteeredProcess]> {
    const both = await users(used, out, create, journalMode);
    await both[0].call('insert', { tag: 'first' });
    await both[1].call('insert', { tag: 'second' });
    return both;
  }

  /** Begins to insert jobs of a tag, until the process waits at that step; gives the number of the call. */
  async function pause(
    user: SteeredProcess,
    at: string,
    words: { tag: string; count?: number; spill?: 1 },
  ): Promise<number> {
    pauses += 1;
    const id = await user.begin('insertPaused', { ...words, at, paused: 1_000 + pauses, until: user.until });
    expect(await user.answer(1_000 + pauses)).toBe('paused');
    return id;
  }

  /** What both hosts see; they are ended. */
  async function looks(both: readonly SteeredProcess[]): Promise<(Look | string)[]> {
    const seen: (Look | string)[] = [];
    for (const each of both) {
      await each.call('close');
      seen.push((await each.call('look').catch(String)) as Look | string);
      await each.kill();
    }
    return seen;
  }

  /** Whether every accepted job is there, on both hosts, in a database that is whole. */
  function isRight(seen: readonly (Look | string)[], tags: readonly string[]): boolean {
    const jobs = Object.fromEntries([...tags].sort().map((tag) => [tag, counts[tag] ?? 1]));
    const whole = JSON.stringify({ jobs, dead: 0, integrity: 'ok' });
    const verdict = seen.every((look) => JSON.stringify(look) === whole);
    reportFacts({ found: verdict ? 'right' : `wrong: ${JSON.stringify(seen[0]).slice(0, 120)}` });
    return verdict;
  }

  function say(what: string, out: readonly Protection[], seen: readonly unknown[]): void {
    print(`${what}, without ${out.join(' and ') || 'nothing'}: ${JSON.stringify(seen)}`);
    reportFacts({ faults: what });
  }

  describe('on a mount without locks', () => {
    const create = `${shellCommand(program)} QUEUE create --locking lease`;
    let used: Lab;
    beforeAll(async () => {
      used = await hosts(NO_LOCKS);
    });

    test.each(named(IN_THE_WORK))(
      'A writer that was paused in its work past its lease: %s',
      async (_, out, right, journalMode) => {
        const both = await writers(used, out, create, journalMode);
        const [paused, other] = both;
        const late = await pause(paused, 'work', { tag: 'late', count: MANY, spill: 1 });
        await other.call('insert', { tag: 'between', count: MANY });
        await paused.goOn();
        const answer = await paused.answer(late).catch(String);
        const seen = await looks(both);
        say(`paused in its work past the lease, ${journalMode}`, out, [answer, ...seen]);
        expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(right);
      },
    );

    test.each(named(BEFORE_THE_BEGIN))(
      'A writer that was paused when it had the lease, and goes on while another writes: %s',
      async (_, out, right, journalMode) => {
        const both = await writers(used, out, create, journalMode);
        const [paused, other] = both;
        const late = await pause(paused, 'begin', { tag: 'late', count: MANY });
        await other.call('insert', { tag: 'between', count: MANY });
        const last = await pause(other, 'work', { tag: 'last', count: MANY, spill: 1 });
        await paused.goOn();
        // It has to wait for the other, who goes on before its own lease is stale; or it commits now.
        const first = paused.answer(late).catch(String);
        await Promise.race(right ? [first, sleepMs(1_000)] : [first]);
        await other.goOn();
        const answers = [await first, await other.answer(last).catch(String)];
        const seen = await looks(both);
        say(`paused when it had the lease, ${journalMode}`, out, [...answers, ...seen]);
        expect(isRight(seen, ['first', 'second', 'between', 'late', 'last'])).toBe(right);
      },
    );

    test('A writer that was paused about to commit: without locks between hosts the books are wrong', async () => {
      const rq = await programWithout('refusal of mounts without locks');
      const both = await writers(used, [], `${shellCommand(rq)} QUEUE create`);
      const [paused, other] = both;
      const late = await pause(paused, 'commit', { tag: 'late', count: MANY, spill: 1 });
      await other.call('insert', { tag: 'between', count: MANY });
      await paused.goOn();
      const answer = await paused.answer(late).catch(String);
      const seen = await looks(both);
      say('paused about to commit, no locks', ['refusal of mounts without locks'], [answer, ...seen]);
      expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(false);
    });
  });

  describe('on a mount with locks', () => {
    const create = `${shellCommand(program)} QUEUE create`;
    let used: Lab;
    beforeAll(async () => {
      used = await hosts();
    });

    test('A writer that was paused about to commit: the other waits for its lock, and the books are right', async () => {
      const both = await writers(used, [], create);
      const [paused, other] = both;
      const late = await pause(paused, 'commit', { tag: 'late', count: MANY, spill: 1 });
      const held = await used.output('server', `ls /srv/disk/q/${queues} | grep lease`);
      const between = await other.begin('insert', { tag: 'between', count: MANY });
      // The other has broken the lease, and stands at the lock.
      await used.output(
        'server',
        `until [ "$(ls /srv/disk/q/${queues} | grep lease)" != '${held.trim()}' ]; do sleep 0.1; done`,
      );
      await paused.goOn();
      const answers = [await paused.answer(late).catch(String), await other.answer(between).catch(String)];
      const seen = await looks(both);
      say('paused about to commit, with locks', [], [...answers, ...seen]);
      expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(true);
    });

    const directory: [Protection, 'writer' | 'reader'][] = [
      ["lease in the queue's directory", 'writer'],
      ["reader's revalidation of the directory", 'reader'],
    ];
    test.each(directory)(
      'A writer that died: without the %s the next %s takes its rows for true',
      async (out, next) => {
        const times = rounds(10);
        let wrong = 0;
        let played = 0;
        for (; played < times && wrong === 0; played++) {
          // The other must not have written yet: a client that changed the directory itself asks more often.
          const [dying, other] = await users(used, [out], create);
          await dying.call('insert', { tag: 'rows', count: MANY });
          await other.call('poll');
          if (played % 2 === 0) await other.call('close');
          await dying.begin('spill');
          await dying.died();
          if (next === 'writer') await other.call('insert', { tag: 'next' }).catch(String);
          const look = (await other.call('look').catch(String)) as Look | string;
          say('a writer died after its pages were spilled', [out], [look]);
          if (typeof look === 'string' || look.dead > 0) wrong += 1;
          await other.kill();
        }
        reportFacts({ found: `wrong in round ${played}` });
        expect(wrong).toBeGreaterThan(0);
      },
    );
  });
});

/** Cases, each with what its test says. */
function named(cases: readonly Case[]): (readonly [string, ...Case])[] {
  return cases.map((each) => {
    const [out, isRight, journalMode] = each;
    const protections = out.length === 0 ? 'with all' : `without the ${out.join(' and the ')}`;
    const journal = journalMode === 'DELETE' ? '' : ', its journal not in DELETE mode,';
    return [`${protections}${journal} the books are ${isRight ? 'right' : 'wrong'}`, ...each];
  });
}

async function sleepMs(ms: number): Promise<string> {
  return await new Promise((resolve) => setTimeout(resolve, ms, 'waited'));
}
