import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Protection, programWithout, without } from '../support/protections.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { RemoteProcess } from './support/remote-process.ts';
import { describeInFull, print, reportFacts, rounds } from './support/scenario.ts';

const STALE_MS = '3000';
const NO_LOCKS = 'vers=3,nolock,hard';
/** Enough jobs to make the database grow. */
const MANY = 300;

/** The number of jobs by tag, where it is more than one. */
const counts: Readonly<Record<string, number>> = { between: MANY, last: MANY, late: MANY };

/** The removed protections, the expected result, and the journal mode. TRUNCATE mode removes one more protection. */
type Case = readonly [without: readonly Protection[], isRight: boolean, journalMode: 'DELETE' | 'TRUNCATE'];

const CHECK = 'lease check before the database is opened';
const NO_SPILL = 'no cache spill before the commit';

const PAUSED_IN_WORK: Case[] = [
  [[], true, 'DELETE'],
  [['fence'], true, 'DELETE'],
  [['ownership check'], true, 'DELETE'],
  [[NO_SPILL], false, 'DELETE'],
  [[], true, 'TRUNCATE'],
  [['ownership check'], false, 'TRUNCATE'],
];

const PAUSED_BEFORE_BEGIN: Case[] = [
  [[], true, 'DELETE'],
  [[CHECK], true, 'DELETE'],
  [[CHECK, NO_SPILL], false, 'DELETE'],
  [[CHECK, 'ownership check'], true, 'TRUNCATE'],
  [[CHECK, 'ownership check', 'fence'], false, 'TRUNCATE'],
];

/** The contents that a host sees at the end: jobs by tag, rows of a killed writer, and the result of integrity_check. */
interface Contents {
  readonly jobs: Readonly<Record<string, number>>;
  readonly dead: number;
  readonly integrity: string;
}

describeInFull('transactions without some of their protections', () => {
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

  /** A new queue, and a process on each host that uses it without the protections. */
  async function users(
    used: Lab,
    out: readonly Protection[],
    create: string,
    journalMode = 'DELETE',
  ): Promise<[RemoteProcess, RemoteProcess]> {
    const queue = `${SHARE}/${++queues}`;
    await used.output('n1', `${create.replace('QUEUE', queue)} && mkdir ${queue}.lease`);
    const fixture = await bundleFixture('remote-queue', without(...out));
    const start = (host: 'n1' | 'n2'): Promise<RemoteProcess> =>
      RemoteProcess.start(used, host, fixture, [queue, STALE_MS, journalMode]);
    const both = await Promise.all([start('n1'), start('n2')]);
    return both;
  }

  /** The same, after each process has inserted a job. */
  async function writers(
    used: Lab,
    out: readonly Protection[],
    create: string,
    journalMode = 'DELETE',
  ): Promise<[RemoteProcess, RemoteProcess]> {
    const both = await users(used, out, create, journalMode);
    await both[0].call('insert', { tag: 'first' });
    await both[1].call('insert', { tag: 'second' });
    return both;
  }

  /** Starts to insert jobs, and waits until the process pauses at a step. Returns the number of the call. */
  async function pause(
    user: RemoteProcess,
    at: string,
    words: { tag: string; count?: number; spill?: 1 },
  ): Promise<number> {
    pauses += 1;
    const id = await user.begin('insertPaused', { ...words, at, paused: 1_000 + pauses, until: user.continueFile });
    expect(await user.answer(1_000 + pauses)).toBe('paused');
    return id;
  }

  /** The contents that both hosts see. Ends the processes. */
  async function readContents(both: readonly RemoteProcess[]): Promise<(Contents | string)[]> {
    const seen: (Contents | string)[] = [];
    for (const each of both) {
      await each.call('close');
      seen.push((await each.call('contents').catch(String)) as Contents | string);
      await each.kill();
    }
    return seen;
  }

  /** Whether both hosts see every accepted job in a sound database. */
  function isRight(seen: readonly (Contents | string)[], tags: readonly string[]): boolean {
    const jobs = Object.fromEntries([...tags].sort().map((tag) => [tag, counts[tag] ?? 1]));
    const whole = JSON.stringify({ jobs, dead: 0, integrity: 'ok' });
    const isExpected = seen.every((contents) => JSON.stringify(contents) === whole);
    reportFacts({ found: isExpected ? 'right' : `wrong: ${JSON.stringify(seen[0]).slice(0, 120)}` });
    return isExpected;
  }

  function report(fault: string, out: readonly Protection[], seen: readonly unknown[]): void {
    print(`${fault}, without ${out.join(' and ') || 'nothing'}: ${JSON.stringify(seen)}`);
    reportFacts({ faults: fault });
  }

  describe('on a mount without locks', () => {
    const create = `${shellCommand(program)} QUEUE create --locking lease`;
    let used: Lab;
    beforeAll(async () => {
      used = await hosts(NO_LOCKS);
    });

    test.each(named(PAUSED_IN_WORK))(
      '%s if a writer is paused in its work past its lease',
      async (_, out, right, journalMode) => {
        const both = await writers(used, out, create, journalMode);
        const [paused, other] = both;
        const late = await pause(paused, 'work', { tag: 'late', count: MANY, spill: 1 });
        await other.call('insert', { tag: 'between', count: MANY });
        await paused.resume();
        const answer = await paused.answer(late).catch(String);
        const seen = await readContents(both);
        report(`paused in its work past the lease, ${journalMode}`, out, [answer, ...seen]);
        expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(right);
      },
    );

    test.each(named(PAUSED_BEFORE_BEGIN))(
      '%s if a writer is paused after it acquired the lease, and continues while another host writes',
      async (_, out, right, journalMode) => {
        const both = await writers(used, out, create, journalMode);
        const [paused, other] = both;
        const late = await pause(paused, 'begin', { tag: 'late', count: MANY });
        await other.call('insert', { tag: 'between', count: MANY });
        const last = await pause(other, 'work', { tag: 'last', count: MANY, spill: 1 });
        await paused.resume();
        // Either it waits for the other host, which continues before its own lease is stale, or it commits now.
        const first = paused.answer(late).catch(String);
        await Promise.race(right ? [first, sleepMs(1_000)] : [first]);
        await other.resume();
        const answers = [await first, await other.answer(last).catch(String)];
        const seen = await readContents(both);
        report(`paused when it had the lease, ${journalMode}`, out, [...answers, ...seen]);
        expect(isRight(seen, ['first', 'second', 'between', 'late', 'last'])).toBe(right);
      },
    );

    test('lose or damage jobs if a writer is paused before its commit', async () => {
      const rq = await programWithout('refusal of mounts without locks');
      const both = await writers(used, [], `${shellCommand(rq)} QUEUE create`);
      const [paused, other] = both;
      const late = await pause(paused, 'commit', { tag: 'late', count: MANY, spill: 1 });
      await other.call('insert', { tag: 'between', count: MANY });
      await paused.resume();
      const answer = await paused.answer(late).catch(String);
      const seen = await readContents(both);
      report('paused about to commit, no locks', ['refusal of mounts without locks'], [answer, ...seen]);
      expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(false);
    });
  });

  describe('on a mount with locks', () => {
    const create = `${shellCommand(program)} QUEUE create`;
    let used: Lab;
    beforeAll(async () => {
      used = await hosts();
    });

    test('keep all jobs if a writer is paused before its commit, because the other host waits for its lock', async () => {
      const both = await writers(used, [], create);
      const [paused, other] = both;
      const late = await pause(paused, 'commit', { tag: 'late', count: MANY, spill: 1 });
      const held = await used.output('server', `ls /srv/disk/q/${queues} | grep lease`);
      const between = await other.begin('insert', { tag: 'between', count: MANY });
      // The other host has broken the lease, and waits for the lock.
      await used.output(
        'server',
        `until [ "$(ls /srv/disk/q/${queues} | grep lease)" != '${held.trim()}' ]; do sleep 0.1; done`,
      );
      await paused.resume();
      const answers = [await paused.answer(late).catch(String), await other.answer(between).catch(String)];
      const seen = await readContents(both);
      report('paused about to commit, with locks', [], [...answers, ...seen]);
      expect(isRight(seen, ['first', 'second', 'between', 'late'])).toBe(true);
    });

    const directory: [Protection, 'writer' | 'reader'][] = [
      ["lease in the queue's directory", 'writer'],
      ["reader's revalidation of the directory", 'reader'],
    ];
    test.each(directory)(
      'accept uncommitted rows of a killed writer without the %s (seen by the next %s)',
      async (out, next) => {
        const times = rounds(10);
        let wrong = 0;
        let played = 0;
        for (; played < times && wrong === 0; played++) {
          // The other host must not have written yet: a client that changed the directory revalidates it more often.
          const [dying, other] = await users(used, [out], create);
          await dying.call('insert', { tag: 'rows', count: MANY });
          await other.call('poll');
          if (played % 2 === 0) await other.call('close');
          await dying.begin('spill');
          await dying.waitUntilKilled();
          if (next === 'writer') await other.call('insert', { tag: 'next' }).catch(String);
          const contents = (await other.call('contents').catch(String)) as Contents | string;
          report('a writer died after its pages were spilled', [out], [contents]);
          if (typeof contents === 'string' || contents.dead > 0) wrong += 1;
          await other.kill();
        }
        reportFacts({ found: `wrong in round ${played}` });
        expect(wrong).toBeGreaterThan(0);
      },
    );
  });
});

/** Adds the start of a test title to each case. */
function named(cases: readonly Case[]): (readonly [string, ...Case])[] {
  return cases.map((each) => {
    const [out, isRight, journalMode] = each;
    const protections = out.length === 0 ? 'with all' : `without the ${out.join(' and the ')}`;
    const journal = journalMode === 'DELETE' ? '' : `, in journal mode ${journalMode},`;
    return [`${isRight ? 'keep all jobs' : 'lose or damage jobs'} ${protections}${journal}`, ...each];
  });
}

async function sleepMs(ms: number): Promise<string> {
  return await new Promise((resolve) => setTimeout(resolve, ms, 'timeout'));
}
