import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program } from './support/program.ts';
import { describeCluster, rounds, tell } from './support/scenario.ts';
import { SteeredProcess } from './support/steered-process.ts';

/** Shorter than the server keeps a lock of a host that is gone (10 s in the lab), so that the lock is what is waited for. */
const STALE_MS = '3000';
const PAUSED = 1_000;

interface Variant {
  readonly journalMode: 'DELETE' | 'TRUNCATE';
  /** Where the host is when it is cut off: in the midst of the work, or after the ownership check. */
  readonly at: 'work' | 'commit';
}

interface Round {
  /** How often the late host ran its work, or its error. */
  readonly runs: unknown;
  /** What each host sees in the end. */
  readonly looks: readonly unknown[];
}

const WHOLE = { jobs: { between: 1, first: 1, late: 1, second: 1 }, integrity: 'ok' };

describeCluster('A host that is cut off inside a transaction', () => {
  let lab: Lab;
  let fixture: string;
  let queues = 0;

  beforeAll(async () => {
    fixture = await bundleFixture('steered-queue');
    lab = await Lab.up({ clients: 2 });
  });

  afterAll(async () => {
    await lab?.down();
  });

  /** n1 is cut off in its transaction, n2 commits another, n1 goes on: before it is healed, or after. */
  async function play({ journalMode, at }: Variant, goesOnCut: boolean): Promise<Round> {
    const queue = `${SHARE}/${++queues}`;
    await lab.output('n1', `${program} ${queue} create`);
    const start = (host: 'n1' | 'n2'): Promise<SteeredProcess> =>
      SteeredProcess.start(lab, host, fixture, [queue, STALE_MS, journalMode]);
    const [cut, other] = await Promise.all([start('n1'), start('n2')]);
    await cut.call('insert', { tag: 'first' });
    await other.call('insert', { tag: 'second' });
    const late = await cut.begin('insertPaused', { tag: 'late', at, paused: PAUSED, until: cut.until });
    expect(await cut.answer(PAUSED)).toBe('paused');
    await lab.cut('n1');
    await other.call('insert', { tag: 'between' });
    if (goesOnCut) await cut.goOn();
    await lab.heal('n1');
    if (!goesOnCut) await cut.goOn();
    const runs = await cut.answer(late).catch(String);
    const looks: unknown[] = [];
    for (const each of [cut, other]) {
      looks.push(await each.call('look').catch(String));
      await each.kill();
    }
    return { runs, looks };
  }

  async function playAll(variant: Variant, times: number): Promise<Round[]> {
    const played: Round[] = [];
    for (let round = 0; round < times; round++) {
      const beforeMs = performance.now();
      played.push(await play(variant, round % 2 === 1));
      const seconds = ((performance.now() - beforeMs) / 1000).toFixed(1);
      tell(`${variant.journalMode}, cut off at ${variant.at}, ${seconds} s: ${JSON.stringify(played.at(-1))}`);
    }
    return played;
  }

  test('The other’s commit stands, and its own work is done once, when it was in the midst of the work', async () => {
    const played = await playAll({ journalMode: 'DELETE', at: 'work' }, rounds(1));
    expect(played).toEqual(played.map(() => ({ runs: 2, looks: [WHOLE, WHOLE] })));
  });

  test('… and when it was about to commit', async () => {
    const played = await playAll({ journalMode: 'DELETE', at: 'commit' }, rounds(2));
    expect(played).toEqual(played.map(() => ({ runs: 2, looks: [WHOLE, WHOLE] })));
  });

  test('With a journal in TRUNCATE mode the other’s commit is lost', async () => {
    const played = await playAll({ journalMode: 'TRUNCATE', at: 'commit' }, rounds(1));
    expect(played.filter(({ looks }) => JSON.stringify(looks) !== JSON.stringify([WHOLE, WHOLE]))).not.toEqual([]);
  });
});
