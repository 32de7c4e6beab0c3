import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/job/clock.ts';
import { bootId, hostName } from '../../../src/job/host.ts';
import { abandonedPartials } from '../../../src/queue/archive/rotation-partials.ts';
import { sweepStagedFiles } from '../../../src/queue/files/staged-sweep.ts';
import { findStrayFiles } from '../../../src/queue/files/stray-files.ts';
import { sweepAbandoned } from '../../../src/queue/files/temporary-names.ts';
import type { Queue } from '../../../src/queue/open.ts';
import { newQueue } from '../../support/queue.ts';
import { waitFor } from '../../support/wait-for.ts';

const ID = '01234567-89ab-cdef-0123-456789abcdef';
const SEVEN_DAYS_MS = 7 * 86_400_000;
/** The name of a temporary file of another machine with the name of this one. */
const OF_NAMESAKE = `.${hostName()}.01234567.1.2.3.${ID}`;

let queue: Queue;
let nowMs: number;

beforeEach(async () => {
  nowMs = Date.now();
  queue = await newQueue({ clock: { ...systemClock, now: () => new Date(nowMs).toISOString() } });
});

/** Writes files in this order, and sets the clock to just before seven days after the last change. */
async function writeInOrder(paths: readonly string[]): Promise<void> {
  for (const [index, path] of paths.entries()) {
    mkdirSync(dirname(path), { recursive: true });
    if (index === paths.length - 1) {
      const madeMs = Date.now();
      await waitFor(() => Date.now() > madeMs + 20);
    }
    writeFileSync(path, 'text');
  }
  nowMs = statSync(paths.at(-1) ?? '').ctimeMs + SEVEN_DAYS_MS - 10;
}

describe('a submit of another machine with the same name', () => {
  test.each(['stdin', 'data'])('keeps its files while one of them changes within seven days: %s', async (kind) => {
    const files = [`stdin/${OF_NAMESAKE}`, `stdin/${ID}.1`, `data/${ID}.2/a`, `${kind}/${ID}.3`];
    await writeInOrder(files.map((name) => join(queue.directory, name)));
    const left = (): string[] => files.filter((name) => existsSync(join(queue.directory, name)));
    await sweepStagedFiles(queue);
    expect(left()).toEqual(files);
    expect(await findStrayFiles(queue)).toMatchObject({ seen: { ownerless: [] } });
    nowMs += 20;
    await sweepStagedFiles(queue);
    expect(left()).toEqual([]);
  });
});

test('a temporary directory of another machine with the same name stays while a file in it changes', async () => {
  const parent = dirname(queue.directory);
  const file = join(parent, OF_NAMESAKE, 'data/1/deep/file');
  await writeInOrder([file, file]);
  sweepAbandoned(parent, queue.clock);
  expect(existsSync(file)).toBe(true);
  nowMs += 20;
  sweepAbandoned(parent, queue.clock);
  expect(readdirSync(parent)).toEqual(['q']);
});

test.each([
  ['boot', 'another'],
  ['container', bootId()],
])('a rotation of another %s stays while a file in it changes', async (_, boot) => {
  const parent = dirname(queue.directory);
  const partial = join(parent, `.rq-rotation.${ID}`);
  const owner = `queue: ${queue.directory}\nhost: ${hostName()}\nboot: ${boot}\nnamespace: 1\npid: 1\nstart_time: 1\n`;
  mkdirSync(partial);
  writeFileSync(join(partial, 'owner'), `---\n${owner}`);
  const file = join(partial, 'r/data/1/file');
  await writeInOrder([file]);
  // This changes the directory, so that it comes before the last change of the file.
  utimesSync(partial, 1, 1);
  await writeInOrder([file]);
  expect(abandonedPartials(queue, parent)).toEqual([]);
  nowMs += 20;
  expect(abandonedPartials(queue, parent)).toEqual([partial]);
});
