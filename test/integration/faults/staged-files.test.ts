import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CrashPoint } from '../../../src/job/crash-points.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A queue with the sources `old` and `new` of stdin and data beside it. */
async function prepared(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  for (const name of ['old', 'new']) {
    writeFileSync(join(bench.directory, name), `${name}\n`);
    mkdirSync(join(bench.directory, `${name}.d`));
    writeFileSync(join(bench.directory, `${name}.d`, 'file'), `${name}\n`);
  }
  return bench;
}

async function killAt(point: CrashPoint, bench: Workbench, words: readonly string[], input = ''): Promise<void> {
  const environment = { RQ_CRASH_AT: `${point}:${join(bench.directory, 'crashed')}` };
  const { signal } = await bench.run(['QUEUE', ...words], { input, environment });
  expect([point, signal]).toEqual([point, 'SIGKILL']);
}

/** The names in `stdin` and `data` that are not in a row, except links to names in rows. */
function unaccounted(bench: Workbench, jobs: readonly Record<string, unknown>[]): string[] {
  const rows = new Set(jobs.flatMap(({ stdin, data }) => [stdin, data]));
  const names = ['stdin', 'data'].flatMap((folder) =>
    readdirSync(join(bench.queue, folder)).map((name) => `${folder}/${name}`),
  );
  return names.filter((name) => {
    const path = join(bench.queue, name);
    if (!lstatSync(path).isSymbolicLink()) return !rows.has(name);
    return !rows.has(`${name.split('/')[0]}/${readlinkSync(path)}`);
  });
}

const COMMAND = 'cat; cat "$RQ_DATA/file"';
const BEFORE: CrashPoint[] = ['file-staged', 'files-staged', 'transaction-begun', 'transaction-executed'];
const AFTER: CrashPoint[] = ['transaction-committed', 'files-linked'];

describe('submit killed', () => {
  test.each([...BEFORE.map((point) => [point, 0] as const), ...AFTER.map((point) => [point, 3] as const)])(
    'at %s leaves %d of its three jobs, and no file that a later job could use',
    async (point, count) => {
      const bench = await prepared();
      await killAt(point, bench, ['submit', '--stdin=old', '--data=old.d', '-'], `${COMMAND}\n`.repeat(3));
      expect(await bench.jobs()).toMatchObject(Array(count).fill({ state: 'pending' }));
      await bench.must(['QUEUE', 'submit', '-q', 'cat; ls $RQ/data/$RQ_JID 2>&1 || true']);
      await bench.must(['QUEUE', 'feed', '--until-empty']);
      const jobs = await bench.jobs();
      expect(jobs).toMatchObject(Array(count + 1).fill({ state: 'finished', exit_status: 0 }));
      for (let jid = 1; jid <= count; jid++) expect(bench.stdout(jid)).toBe('old\nold\n');
      expect(bench.stdout(Number(jobs.at(-1)?.['jid']))).not.toContain('old\n');
      expect(unaccounted(bench, jobs)).toEqual([]);
    },
  );
});

describe.each([
  ['update', ['update', '1', 'stdin=new', 'data=new.d', 'tag=new']],
  ['touch', ['touch', '--stdin=new', '--data=new.d', '--priority=1', COMMAND]],
  ['resubmit', ['resubmit', '1', '--stdin=new', '--data=new.d', '--tag=new']],
])('%s killed', (command, words) => {
  test.each([...BEFORE.map((point) => [point, 'old'] as const), ...AFTER.map((point) => [point, 'new'] as const)])(
    'at %s leaves the job with its %s stdin and data',
    async (point, which) => {
      const bench = await prepared();
      await bench.must(['QUEUE', 'submit', '-q', '--stdin=old', '--data=old.d', COMMAND]);
      if (command === 'resubmit') await bench.must(['QUEUE', 'feed', '--until-empty']);
      const before = await bench.jobs();
      await killAt(point, bench, words);
      await bench.must(['QUEUE', 'feed', '--until-empty']);
      const jobs = await bench.jobs();
      expect(bench.stdout(1)).toBe(`${which}\n${which}\n`);
      if (which === 'old') expect(jobs).toMatchObject([{ stdin: before[0]?.['stdin'], data: before[0]?.['data'] }]);
      // The old files are removed after the commit. If the process is killed before, doctor reports them.
      if (point === 'transaction-committed') jobs.push(...before);
      expect(unaccounted(bench, jobs)).toEqual([]);
    },
  );
});

test('rotate removes the staged files of a killed submit but not those of a running one', async () => {
  const bench = await prepared();
  await killAt('files-staged', bench, ['submit', '--stdin=old', '--data=old.d', 'true']);
  // A reader delays the commit of the running submit.
  const script = 'touch held; until [ -e go ]; do sleep 0.05; done';
  const reader = bench.start(['QUEUE', 'lock', 'read', '--', 'sh', '-c', script]);
  await waitFor(() => existsSync(join(bench.directory, 'held')));
  const submit = bench.start(['QUEUE', 'submit', '-q', '--stdin=new', '--data=new.d', COMMAND]);
  await waitFor(() => existsSync(join(bench.queue, 'db-journal')), 30_000);
  expect(unaccounted(bench, [])).toHaveLength(6);
  await bench.must(['QUEUE', 'rotate', 'rotation']);
  expect(unaccounted(bench, [])).toHaveLength(3);
  writeFileSync(join(bench.directory, 'go'), '');
  expect([await reader.ended, await submit.ended]).toMatchObject([{ status: 0 }, { status: 0 }]);
  await bench.must(['QUEUE', 'feed', '--until-empty']);
  expect(bench.stdout(1)).toBe('new\nnew\n');
  expect(unaccounted(bench, await bench.jobs())).toEqual([]);
});

test('two submits that race give each job its own files', async () => {
  const bench = await prepared();
  const rounds = 6;
  for (let round = 0; round < rounds; round++) {
    const submits = ['old', 'new'].map((name) =>
      bench.start(['QUEUE', 'submit', '-q', `--stdin=${name}`, `--data=${name}.d`, '-'], {
        input: `echo ${name}; ${COMMAND}\n`.repeat(20),
      }),
    );
    for (const { ended } of submits) expect(await ended).toMatchObject({ status: 0 });
  }
  const jobs = await bench.jobs();
  expect(jobs).toHaveLength(rounds * 40);
  for (const { command, stdin, data, jid } of jobs) {
    const which = String(command).slice('echo '.length, 'echo '.length + 3);
    const texts = [String(stdin), `${String(data)}/file`, `stdin/${String(jid)}`, `data/${String(jid)}/file`];
    expect(texts.map((name) => readFileSync(join(bench.queue, name), 'utf8'))).toEqual(Array(4).fill(`${which}\n`));
  }
  expect(new Set(jobs.flatMap(({ stdin, data }) => [stdin, data])).size).toBe(jobs.length * 2);
  expect(unaccounted(bench, jobs)).toEqual([]);
  await bench.must(['QUEUE', 'delete', '-q', '1-10']);
  const remaining = await bench.jobs();
  expect(unaccounted(bench, remaining)).toEqual([]);
  for (const { stdin } of remaining) expect(existsSync(join(bench.queue, String(stdin)))).toBe(true);
});
