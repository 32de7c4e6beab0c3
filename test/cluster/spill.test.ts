import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/fixture.ts';
import { clusterSkipReason, Lab, SHARE } from './support/lab.ts';
import { program } from './support/program.ts';
import { rounds } from './support/rounds.ts';
import { SteeredProcess } from './support/steered-process.ts';

const reason = clusterSkipReason();
const STALE_MS = '2000';
const ROWS = 1_000;

interface Look {
  readonly jobs: Readonly<Record<string, number>>;
  readonly integrity: string;
  readonly journal: string;
}

/** What the next writer, and then each host, found. */
interface Round {
  readonly dead: number;
  readonly isLate: boolean;
  readonly integrity: readonly string[];
}

describe.skipIf(reason !== undefined)(
  `A writer that died${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let lab: Lab;
    let fixture: string;

    beforeAll(async () => {
      fixture = await bundleFixture('steered-queue');
      lab = await Lab.up({ clients: 2 });
    });

    afterAll(async () => {
      await lab?.down();
    });

    /** A queue, and a long-lived user of it on each host: n1 only looks, n2 writes next. */
    async function start(name: string, journalMode = 'DELETE'): Promise<{ queue: string; users: SteeredProcess[] }> {
      const queue = `${SHARE}/${name}`;
      await lab.output('n1', `${program} ${queue} create`);
      const words = [queue, STALE_MS, journalMode];
      const start = (host: 'n1' | 'n2'): Promise<SteeredProcess> => SteeredProcess.start(lab, host, fixture, words);
      return { queue, users: await Promise.all([start('n1'), start('n2')]) };
    }

    async function play(name: string, next: string, times: number, journalMode?: string): Promise<Round[]> {
      const { queue, users } = await start(name, journalMode);
      const [, second] = users as [SteeredProcess, SteeredProcess];
      const played: Round[] = [];
      for (let index = 1; index <= times; index++) {
        const words = [queue, STALE_MS, journalMode ?? 'DELETE'];
        const dying = await SteeredProcess.start(lab, 'n1', fixture, words);
        await second.call('poll', { tag: 'dead' });
        if (index % 2 === 0) await second.call('close');
        await dying.begin('spill', { tag: `dead ${index}`, count: ROWS });
        await dying.died();
        await second.call(next, { tag: `next ${index}` });
        const looks: Look[] = [];
        for (const user of [...users].reverse()) looks.push((await user.call('look')) as Look);
        const seen = looks.map(({ jobs }) => jobs[`dead ${index}`] ?? 0);
        const dead = Math.max(...seen);
        played.push({
          dead,
          isLate: looks.some(({ jobs }) => jobs[`next ${index}`] !== 1),
          integrity: looks.map(({ integrity }) => integrity),
        });
        console.log(JSON.stringify({ index, looks }));
      }
      for (const user of users) await user.kill();
      return played;
    }

    test('Nothing of it is seen on any host, whoever had polled the database before', async () => {
      const times = rounds(3);
      const whole = { dead: 0, isLate: false, integrity: ['ok', 'ok'] };
      expect(await play('q', 'insert', times)).toEqual(Array.from({ length: times }, () => whole));
    });

    test('Without step 1 of a transaction, its rows are there', async () => {
      const played = await play('without-lease', 'insertWithoutLease', rounds(3));
      console.log(played);
    });

    test('TRUNCATE', async () => {
      const played = await play('truncate', 'insert', rounds(3), 'TRUNCATE');
      console.log(played);
    });

    test('TRUNCATE without lease', async () => {
      const played = await play('truncate-without', 'insertWithoutLease', rounds(3), 'TRUNCATE');
      console.log(played);
    });
  },
);
