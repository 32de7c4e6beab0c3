import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { recordingCommand, recordsOf } from '../../support/job-records.ts';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';
import { waitFor } from '../../support/wait-for.ts';

// RQ_RACES=200 is the long run. RQ_SEED repeats the same delays, but not the timing of the processes.
const ROUNDS = Number(process.env['RQ_RACES'] ?? 20);
const TIMEOUT_MS = (ROUNDS * 12 + 120) * 1000;
const KINDS = ['ok', 'any', 'failed'] as const;

/** Whether a job with this dependency runs. */
function mayRun(kind: (typeof KINDS)[number], isOk: boolean): boolean {
  return kind === 'any' || (kind === 'ok') === isOk;
}

test(
  'a job that is submitted while the job that it needs ends runs once, or is dead',
  async () => {
    const bench = new Workbench();
    const random = seededRandom(Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31));
    await bench.must(['QUEUE', 'create']);
    await bench.shell('mkdir rec');
    const feeders = ['a', 'b'].map((host) =>
      bench.start(['QUEUE', 'feed', '--max_feed=4', '--min_sleep=0.02', '--max_sleep=0.1', '-v1'], {
        environment: { RQ_HOST: host },
      }),
    );
    const submit = async (...words: string[]): Promise<string> =>
      (await bench.must(['QUEUE', 'submit', '--plain', ...words])).trim();
    const expected = new Map<string, string>();
    const pairs: (readonly [parent: string, child: string])[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const isOk = random() < 0.5;
      const kind = KINDS[round % KINDS.length] ?? 'ok';
      const parent = await submit(recordingCommand((random() * 0.3).toFixed(2), isOk ? 0 : 3));
      await sleep(random() * 200);
      // Two processes submit at the same time.
      const others = [submit(`--after=${kind}:${parent}`, recordingCommand('0', 0))];
      const child = await submit(`--after=${kind}:${parent}`, recordingCommand('0', 0));
      const grandchild = await submit(`--after=${child}`, recordingCommand('0', 0));
      pairs.push([parent, child], [child, grandchild]);
      const state = mayRun(kind, isOk) ? 'finished' : 'dead';
      for (const jid of [child, grandchild, ...(await Promise.all(others))]) expected.set(jid, state);
    }
    await waitFor(async () => {
      const { pending, running } = await bench.counts();
      return pending === 0 && running === 0;
    }, TIMEOUT_MS);
    const jobs = await bench.jobs([...expected.keys()].join(','));
    const found = jobs.map(({ jid, state, attempt }) => [String(jid), state, attempt]);
    const isRun = (state: string): number => (state === 'finished' ? 1 : 0);
    const order = (a: readonly unknown[], b: readonly unknown[]): number => Number(a[0]) - Number(b[0]);
    expect(found).toEqual([...expected].map(([jid, state]) => [jid, state, isRun(state)]).sort(order));
    for (const [jid, state] of expected)
      expect([jid, recordsOf(bench.directory, Number(jid)).length]).toEqual([jid, isRun(state)]);
    for (const [parent, child] of pairs) {
      const [end = Number.NaN] = recordsOf(bench.directory, Number(parent)).map(({ ended }) => ended?.at);
      for (const { began } of recordsOf(bench.directory, Number(child))) expect(began).toBeGreaterThan(end);
    }
    for (const host of ['a', 'b']) await bench.must(['QUEUE', 'shutdown'], { environment: { RQ_HOST: host } });
    await Promise.all(feeders.map(({ ended }) => ended));
  },
  TIMEOUT_MS,
);
