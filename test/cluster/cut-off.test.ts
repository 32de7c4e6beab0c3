import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { type Client, Lab, SHARE } from './support/lab.ts';
import { program } from './support/program.ts';
import { RemoteProcess } from './support/remote-process.ts';
import { describeCluster, inFull, isFull, print, rounds } from './support/scenario.ts';

/** Shorter than the time for which the server keeps the lock of an unreachable host (10 s in the lab). */
const STALE_MS = '3000';
const PAUSED = 1_000;
const TIMES = rounds(1);
const HOOK_MS = 900_000;

/** The journal mode, and the step at which n1 is cut off: during the work, or after the ownership check. */
const VARIANTS = ['DELETE work', 'DELETE commit', 'TRUNCATE work', 'TRUNCATE commit'] as const;
type Variant = (typeof VARIANTS)[number];

/** Each variant has its own queue and a process on each host. All variants share one cut. */
interface Scene {
  readonly variant: Variant;
  readonly cut: RemoteProcess;
  readonly other: RemoteProcess;
}

interface Contents {
  readonly jobs: Readonly<Record<string, number>>;
}

interface Outcome {
  readonly variant: Variant;
  /** How many times the late host did its work, and SQLite's error for its late commit; or the error of the call. */
  readonly late: unknown;
  /** The contents of the queue that each host sees at the end. */
  readonly allContents: readonly unknown[];
}

const WHOLE = { jobs: { between: 1, first: 1, late: 1, second: 1 }, dead: 0, integrity: 'ok' };

describeCluster('a host that is cut off inside a transaction', () => {
  let lab: Lab;
  let fixture: string;
  const outcomes: Outcome[] = [];

  beforeAll(async () => {
    fixture = await bundleFixture('remote-queue');
    lab = await Lab.up({ clients: 2 });
    for (let round = 1; round <= TIMES; round++) {
      const startMs = performance.now();
      const played = await play(round);
      print(`round ${round}, ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
      for (const outcome of played) print(`  ${JSON.stringify(outcome)}`);
      outcomes.push(...played);
    }
  }, HOOK_MS);

  afterAll(async () => {
    await lab?.down();
  });

  async function prepare(variant: Variant, round: number): Promise<Scene> {
    const [journalMode, at] = variant.split(' ') as [string, string];
    const queue = `${SHARE}/${journalMode}-${at}-${round}`;
    await lab.output('n1', `${program} ${queue} create`);
    const start = (host: Client): Promise<RemoteProcess> =>
      RemoteProcess.start(lab, host, fixture, [queue, STALE_MS, journalMode]);
    const [cut, other] = await Promise.all([start('n1'), start('n2')]);
    await cut.call('insert', { tag: 'first' });
    await other.call('insert', { tag: 'second' });
    return { variant, cut, other };
  }

  /** n1 is cut off, n2 commits, n1 continues: in half of the scenes before it is reconnected, in the others afterwards. */
  async function play(round: number): Promise<Outcome[]> {
    const scenes: Scene[] = [];
    for (const variant of VARIANTS) scenes.push(await prepare(variant, round));
    const late = await Promise.all(scenes.map(pause));
    await lab.cut('n1');
    await Promise.all(scenes.map(({ other }) => other.call('insert', { tag: 'between' })));
    const resume = async (half: number): Promise<void> => {
      const inHalf = scenes.filter((_, index) => (index + round) % 2 === half);
      await Promise.all(inHalf.map(({ cut }) => cut.resume()));
    };
    await resume(0);
    await lab.heal('n1');
    await resume(1);
    return await Promise.all(scenes.map((scene, index) => finish(scene, late[index] ?? 0)));
  }

  async function pause({ variant, cut }: Scene): Promise<number> {
    const [, at] = variant.split(' ') as [string, string];
    const call = await cut.begin('insertPaused', { tag: 'late', at, paused: PAUSED, until: cut.continueFile });
    expect(await cut.answer(PAUSED)).toBe('paused');
    return call;
  }

  async function finish({ variant, cut, other }: Scene, late: number): Promise<Outcome> {
    const answer = await cut.answer(late).catch(String);
    const allContents: unknown[] = [];
    for (const each of [cut, other]) {
      // Closing discards the process's cache of the database.
      await each.call('close');
      allContents.push(await each.call('contents').catch(String));
      await each.kill();
    }
    return { variant, late: answer, allContents };
  }

  function outcomesOf(variant: Variant): unknown[] {
    return outcomes.filter((each) => each.variant === variant).map(({ late, allContents }) => ({ late, allContents }));
  }

  function times<T>(outcome: T): T[] {
    return Array.from({ length: TIMES }, () => outcome);
  }

  test('the ownership check stops the late transaction, which then runs once after the transaction of the other host', () => {
    const late = { runs: 2, refusal: null };
    expect(outcomesOf('DELETE work')).toEqual(times({ late, allContents: [WHOLE, WHOLE] }));
  });

  test('the late commit fails, and the late transaction then runs once after the transaction of the other host', () => {
    const late = { runs: 2, refusal: expect.stringMatching(/^SQLITE_IOERR/) };
    expect(outcomesOf('DELETE commit')).toEqual(times({ late, allContents: [WHOLE, WHOLE] }));
  });

  test.runIf(isFull)(
    inFull('the late commit erases the commit of the other host if the journal is in TRUNCATE mode'),
    () => {
      const allContents = outcomes
        .filter(({ variant }) => variant === 'TRUNCATE commit')
        .flatMap((each) => each.allContents);
      expect(allContents.filter((contents) => (contents as Contents).jobs['between'] === undefined)).not.toEqual([]);
    },
  );
});
