import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { seededRandom } from '../../support/random.ts';

const JOBS = 5000;
const ROTATIONS = 20;

test('rotations under load, one in three killed, leave every job in the queue or in one complete rotation', async () => {
  const seed = Number(process.env['RQ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`RQ_SEED=${seed}`);
  const random = seededRandom(seed);
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'echo $RQ_JID\n'.repeat(JOBS) });
  const feeders = ['h1', 'h2'].map((RQ_HOST) =>
    bench.start(['QUEUE', 'feed', '--until-empty', '--max_feed=2'], { environment: { RQ_HOST } }),
  );
  // Updated by each rotation, so that the kills are spread over its whole duration.
  let usualMs = 500;
  for (let round = 1; round <= ROTATIONS; round++) {
    const target = join(bench.directory, `r${round}${round % 2 === 0 ? '.tgz' : ''}`);
    const startMs = performance.now();
    const rotation = bench.start(['QUEUE', 'rotate', target]);
    const timer = round % 3 === 0 ? setTimeout(() => rotation.child.kill('SIGKILL'), usualMs * random()) : undefined;
    const { status, stderr } = await rotation.ended;
    clearTimeout(timer);
    if (timer === undefined) {
      expect({ status, stderr }).toMatchObject({ status: 0 });
      usualMs = performance.now() - startMs;
    }
  }
  for (const feeder of feeders) expect((await feeder.ended).status).toBe(0);
  await bench.must(['QUEUE', 'rotate', join(bench.directory, 'last')]);

  const rotations = readdirSync(bench.directory).filter((name) => /^(?:r\d+|last)/.test(name));
  const found: [number, string][] = (await bench.jobs()).map(({ jid }) => [Number(jid), 'queue']);
  for (const name of rotations) {
    if (name.endsWith('.tgz')) await bench.shell(`mkdir x${name} && tar xzf ${name} -C x${name} --strip-components=1`);
    const place = name.endsWith('.tgz') ? `x${name}` : name;
    const jobs = JSON.parse(await bench.must([place, 'list', '--json'])) as { jid: number; state: string }[];
    const outputs = new Set(readdirSync(join(bench.directory, place, 'stdout')));
    for (const { jid, state } of jobs) {
      found.push([jid, name]);
      expect([jid, state, outputs.has(String(jid))]).toEqual([jid, 'finished', true]);
    }
  }
  const jids = found.map(([jid]) => jid).sort((a, b) => a - b);
  expect(jids).toEqual(Array.from({ length: JOBS }, (_, index) => index + 1));
  // Later rotations removed the leftovers of killed ones and the files of the moved jobs.
  expect(readdirSync(bench.directory).filter((name) => name.startsWith('.'))).toEqual([]);
  expect(readdirSync(join(bench.queue, 'stdout'))).toEqual([]);
  expect(await bench.must(['QUEUE', 'execute', 'select count(*) as left from rotations'])).toBe('---\n-\n  left: 0\n');
});
