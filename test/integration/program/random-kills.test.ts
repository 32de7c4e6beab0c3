import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';
import { waitFor } from '../../support/wait-for.ts';

const JOBS = 400;
const KILLS = 24;
const HOSTS = ['h1', 'h2', 'h3'];
const RECORD = 'echo "$RQ_ATTEMPT" >>$RQ/data/';

function runnerPids(bench: Workbench): number[] {
  const root = bench.environment['RQ_RUNTIME_DIR'] ?? '';
  return readdirSync(root).flatMap((name) => {
    try {
      return [Number(readFileSync(join(root, name, 'runner.pid'), 'utf8'))];
    } catch {
      return [];
    }
  });
}

function starts(bench: Workbench, jid: unknown, mark: string): string[] {
  try {
    return readFileSync(join(bench.queue, 'data', `${jid}.${mark}`), 'utf8')
      .trim()
      .split('\n');
  } catch {
    return [];
  }
}

test('feeders and runners are killed at random, and the books are right', async () => {
  const seed = Number(process.env['RQ_SEED'] ?? Date.now() % 2 ** 31);
  const random = seededRandom(seed);
  console.log(`RQ_SEED=${seed}`);
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const command = `${RECORD}$RQ_JID.start; sleep 0.$((RQ_JID % 7)); ${RECORD}$RQ_JID.end; exit $((RQ_JID % 50))`;
  const jobs = Array.from({ length: JOBS }, (_, index) => ({ command, restartable: index % 4 === 0 }));
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: JSON.stringify(jobs) });
  const feed = (host: string): ReturnType<Workbench['start']> =>
    bench.start(['QUEUE', 'feed', '--max_feed=4', '--max_sleep=1'], { environment: { RQ_HOST: host } });
  const feeders = new Map(HOSTS.map((host) => [host, feed(host)]));
  await waitFor(async () => (await bench.jobs('running')).length > 0);
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(100 + random() * 500);
    const host = HOSTS[Math.floor(random() * HOSTS.length)] ?? '';
    const runners = runnerPids(bench);
    const victim = random() < 0.3 ? runners[Math.floor(random() * runners.length)] : feeders.get(host)?.child.pid;
    if (victim === undefined) continue;
    if (bench.processes().includes(victim)) process.kill(victim, 'SIGKILL');
    if (feeders.get(host)?.child.pid !== victim) continue;
    await feeders.get(host)?.ended;
    feeders.set(host, feed(host));
  }
  for (const { child } of feeders.values()) child.kill('SIGTERM');
  await Promise.all([...feeders.values()].map(({ ended }) => ended));
  for (const RQ_HOST of HOSTS) await bench.must(['QUEUE', 'feed', '--until-empty'], { environment: { RQ_HOST } });

  const listed = await bench.jobs();
  expect(listed).toHaveLength(JOBS);
  const wrong = listed.filter(({ jid, state, exit_status, reason, restartable, attempt }) => {
    const began = starts(bench, jid, 'start');
    if (restartable !== true && began.length > 1) return true;
    if (state === 'dead') return restartable === true || !/the runner was killed/.test(String(reason));
    return (
      state !== 'finished' || exit_status !== Number(jid) % 50 || !starts(bench, jid, 'end').includes(String(attempt))
    );
  });
  expect(wrong).toEqual([]);
});
