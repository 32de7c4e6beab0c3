import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

const MAX_BYTES = 200_000;
/** Makes a file of 100 MB that uses 96 kB: data at its start, in the middle, at odd offsets, and a hole at its end. */
const MAKE_SPARSE = `f() { dd if=/dev/urandom of=big bs=1 seek=$1 count=$2 conv=notrunc status=none; }
  f 0 10000; f 1048570 12; f 50000123 40000; f 99999000 10; truncate -s 100000000 big`;

/** The number of bytes that a file uses. */
function usedBytes(path: string): number {
  return statSync(path).blocks * 512;
}

async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  await bench.shell(MAKE_SPARSE);
  expect(usedBytes(join(bench.directory, 'big'))).toBeLessThan(MAX_BYTES);
  return bench;
}

async function expectSameAndSparse(bench: Workbench, name: string): Promise<void> {
  await bench.shell(`cmp big ${name}`);
  expect(usedBytes(join(bench.directory, name))).toBeLessThan(MAX_BYTES);
}

test('a backup of sparse output is sparse', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  await bench.shell('cp --sparse=always big q/stdout/1');
  await bench.must(['QUEUE', 'backup', 'saved']);
  await expectSameAndSparse(bench, 'saved/stdout/1');
});

test('sparse data and sparse stdin of a job stay sparse in the queue and in a rotation', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--stdin=big', '--data=big', 'true']);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  const names = ['stdin', 'data'].flatMap((folder) =>
    readdirSync(join(bench.queue, folder)).map((name) => `${folder}/${name}`),
  );
  expect(names).toHaveLength(4);
  for (const name of names) await expectSameAndSparse(bench, `q/${name}`);
  await bench.must(['QUEUE', 'rotate', 'old']);
  for (const name of names) await expectSameAndSparse(bench, `old/${name}`);
});

test('a file of zeros only, and an empty one, keep their sizes', async () => {
  const bench = await newBench();
  for (const [name, size] of [
    ['zeros', 123_456_789],
    ['empty', 0],
  ] as const) {
    writeFileSync(join(bench.directory, name), '');
    truncateSync(join(bench.directory, name), size);
    await bench.must(['QUEUE', 'submit', '-q', `--stdin=${name}`, 'wc -c']);
  }
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect([bench.stdout(1), bench.stdout(2)]).toEqual(['123456789\n', '0\n']);
});
