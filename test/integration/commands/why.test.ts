import { utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gate, openGate } from '../../support/live.ts';
import { createOldQueue } from '../../support/old-queue.ts';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const HOST = hostname();
const FEED = ['QUEUE', 'start', '-q', '--max_feed=2', '--min_sleep=0.1', '--max_sleep=0.2'];

interface Explanation {
  readonly jid: number;
  readonly state: string;
  readonly why: string | string[];
  readonly hosts?: { readonly host: string; readonly verdict: string; readonly cause?: string }[];
}

async function newBench(): Promise<Workbench> {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  return bench;
}

async function explain(bench: Workbench, ...words: string[]): Promise<Explanation[]> {
  return JSON.parse(await bench.must(['QUEUE', 'why', '--json', ...words])) as Explanation[];
}

/** The reasons of one job. */
async function why(bench: Workbench, jid: number): Promise<string[]> {
  return (await explain(bench, String(jid))).flatMap((each) => each.why);
}

/** A queue whose feeder runs two jobs, 1 and 2, until the gate `go` opens. */
async function busyBench(): Promise<Workbench> {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: `${gate(bench, 'go')}\n`.repeat(2) });
  await bench.must(FEED);
  await waitFor(
    async () => (await bench.jobs('running')).every(({ pid }) => pid) && (await bench.counts())['running'] === 2,
  );
  return bench;
}

async function end(bench: Workbench): Promise<void> {
  openGate(bench, 'go');
  await bench.must(['QUEUE', 'stop']);
}

async function submit(bench: Workbench, ...words: string[]): Promise<number> {
  const { status, stdout } = await bench.run(['QUEUE', 'submit', '--plain', ...words]);
  expect(status).toBe(0);
  return Number(stdout);
}

test('jobs wait for a feeder, for a free cpu and for jobs before them, and run then', async () => {
  const bench = await newBench();
  const waiting = await submit(bench, 'true');
  expect(await explain(bench, '1')).toEqual([
    { jid: waiting, state: 'pending', why: 'no host feeds from this queue', hosts: [] },
  ]);
  await bench.must(['QUEUE', 'delete', '-q', '1']);
  const busy = await busyBench();
  const [third, fourth] = [await submit(busy, 'true'), await submit(busy, 'exit 3')];
  const fits = `fits ${HOST} when 1 cpu is free there (jobs 1, 2 run)`;
  expect(await why(busy, third)).toEqual([fits]);
  expect(await why(busy, fourth)).toEqual([fits, '1 job goes first']);
  const [first, , , last] = await explain(busy, '1-4');
  expect(first?.why).toMatch(new RegExp(`^running on ${HOST} since \\d\\d:\\d\\d$`));
  expect(last?.hosts).toEqual([
    { host: HOST, verdict: 'later', cause: '0 of 2 cpus are free (jobs 1, 2 run); 1 job goes first' },
  ]);
  openGate(busy, 'go');
  await busy.run(['QUEUE', 'wait', '1-4', '-q']);
  expect((await explain(busy, String(fourth)))[0]?.why).toMatch(
    new RegExp(`^failed with exit status 3 on ${HOST} at `),
  );
  await end(busy);
});

test('a job that no host can run is accepted with a warning, and "why" says never', async () => {
  const bench = await busyBench();
  const tooLarge = 'asks for 32 cpus; the largest host that feeds has 2';
  const warned = await bench.run(['QUEUE', 'submit', '-q', '--cpus=32', 'true']);
  expect(warned).toMatchObject({ status: 0, stderr: `rq: no host can run the job: it ${tooLarge}\n` });
  const elsewhere = await bench.run(['QUEUE', 'submit', '-q', '--runner=n7', 'true']);
  expect(elsewhere.stderr).toMatch(/may run only on n7, and no such host feeds from this queue\n$/);
  const list = await bench.run(['QUEUE', 'submit', '-q', '-'], {
    input: `---\n- command: a\n  cpus: 4\n- command: b\n- command: c\n  cpus: 4\n`,
  });
  expect(list.stderr).toMatch(/^rq: no host can run 2 of the 3 jobs: each asks for 4 cpus; .* has 2\n$/);
  const touched = await bench.run(['QUEUE', 'touch', '-q', '--cpus=8', 'd', 'e']);
  expect(touched.stderr).toMatch(/^rq: no host can run the job: it asks for 8 cpus/);
  const array = await bench.run(['QUEUE', 'submit', '-q', '--array=1-100', '--cpus=8', 'true']);
  expect(array.stderr).toMatch(/^rq: no host can run the 100 jobs: each asks for 8 cpus; .*\n$/);
  expect(await bench.must(['QUEUE', 'submit', '-q', '--cpus=2', `--runner=${HOST}`, 'true'])).toBe('');

  const [large, other] = await explain(bench, '3-4');
  expect(large).toMatchObject({
    why: `${tooLarge}: never`,
    hosts: [{ host: HOST, verdict: 'never', cause: '32 cpus requested; it has 2 cpus' }],
  });
  expect(other).toMatchObject({ why: 'only n7 may run it, and n7 does not feed from this queue' });
  await end(bench);
});

test('memory, GPUs and other resources that a host lacks are named', async () => {
  const bench = await newBench();
  await bench.must([...FEED, '--memory=8G', '--gpus=none', '--have=licence=1']);
  await waitFor(async () => (await bench.run(['QUEUE', 'nodes'])).stdout.includes('have'));
  const requests = ['--memory=64G', '--gpus=1', '--need=licence=2', '--need=port=1'];
  const sentences = [
    'asks for 64G of memory; the largest host that feeds has 8G of memory',
    'asks for 1 GPU; no host that feeds has a GPU',
    'asks for licence=2; no host that feeds has more than licence=1',
    'asks for port=1; no host that feeds has port',
  ];
  for (const [index, request] of requests.entries()) {
    const { stderr } = await bench.run(['QUEUE', 'submit', '-q', request, 'true']);
    expect(stderr).toBe(`rq: no host can run the job: it ${sentences[index]}\n`);
    expect(await why(bench, index + 1)).toEqual([`${sentences[index]}: never`]);
  }
  const short = (await bench.jobs('pending')).map(({ waits_for }) => waits_for);
  expect(short).toEqual(['64G of memory', '1 GPU', 'licence=2', 'port=1'].map((size) => `a host with ${size}`));
  await bench.must(['QUEUE', 'submit', '-q', '--memory=6G', '--need=licence=1', gate(bench, 'go')]);
  await waitFor(async () => (await bench.counts())['running'] === 1);
  await bench.must(['QUEUE', 'submit', '-q', '--memory=4G', '--need=licence=1', 'true']);
  expect(await why(bench, 6)).toEqual([`fits ${HOST} when 4G of memory and licence=1 are free there (job 5 runs)`]);
  await end(bench);
});

test('tasks wait while their array is full, and are dead once it has stopped', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--array=1-3', '--at-most=1', gate(bench, 'go')]);
  await bench.must(['QUEUE', 'submit', '-q', '--array=1-9', '--at-most=1', '--max-fails=1', '--priority=1', 'false']);
  await bench.must(FEED);
  await waitFor(async () => (await bench.counts())['running'] === 1 && (await bench.jobs('failed')).length === 9);
  expect(await why(bench, 2)).toEqual(['array 1 is full (1 of 1)']);
  expect((await bench.jobs('2'))[0]).toMatchObject({ waits_for: 'array 1' });
  expect((await why(bench, 9)).join()).toMatch(/^dead since \d\d:\d\d: array 4 stopped after 1 failure$/);
  await end(bench);
});

test('without a feeder, submit does not warn', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '--cpus=999', '--runner=n7', 'true']);
});

test('hosts that are silent, drained, or skip a job are named, with the time or the reason', async () => {
  const bench = await busyBench();
  const silent = join(bench.queue, 'nodes', 'n7');
  writeFileSync(silent, '---\nhost: n7\ncpus: 64\nmemory: 68719476736\n');
  utimesSync(silent, 1_700_000_000, 1_700_000_000);
  const pinned = await submit(bench, '--runner=n7', 'true');
  const large = await submit(bench, '--cpus=64', 'true');
  const skipped = await submit(bench, '--priority=1', '--cwd', join(bench.directory, 'missing'), 'true');
  const day = /n7 has not fed since 2023-11-1\d \d\d:\d\d$/;
  expect((await why(bench, pinned)).join()).toMatch(day);
  expect((await why(bench, large)).join()).toMatch(/^asks for 64 cpus, which only n7 has, and n7 has not fed since/);

  const failures = JSON.stringify({
    [HOST]: { count: 1, first: 'x', until: '9999-12-31T00:00:00.000Z', reason: 'no dir' },
  });
  await bench.must(['QUEUE', 'execute', `UPDATE jobs SET failed_starts = '${failures}' WHERE jid = ${skipped}`]);
  const [skips] = await explain(bench, String(skipped));
  expect(skips?.why).toMatch(new RegExp(`^${HOST} skips it until 9999-12-31 .*: no dir$`));
  expect(skips?.hosts?.map(({ host }) => host)).toEqual(['n7', HOST].sort());

  await bench.must(['QUEUE', 'drain', HOST, '--reason', 'new disk']);
  const waiting = await submit(bench, 'true');
  const [drained] = await explain(bench, String(waiting));
  expect(drained?.why).toMatch(
    new RegExp(`^${HOST}, the only host that feeds, is drained by .* on ${HOST}: new disk$`),
  );
  expect(drained?.hosts?.find(({ host }) => host === HOST)?.cause).toMatch(/^drained by .*: new disk$/);
  await end(bench);
});

test('a host that could not start a job skips it, and "why" gives the reason', async () => {
  const bench = await newBench();
  const cwd = join(bench.directory, 'missing');
  const jid = await submit(bench, '--cwd', cwd, 'true');
  await bench.must(FEED);
  await waitFor(async () => (await why(bench, jid)).some((sentence) => sentence.includes('skips it until')));
  expect((await why(bench, jid)).join()).toContain(cwd);
  await bench.must(['QUEUE', 'stop']);
});

test('held jobs, due times, retries, lanes and dependencies are explained, and "list" shows the short form', async () => {
  const bench = await busyBench();
  const retried = await submit(bench, '--priority=9', '--retries=2', '--backoff=40m', 'exit 1');
  const held = await submit(bench, '--stage', 'true');
  const due = await submit(bench, '--at=2999-12-01T22:00:00Z', 'true');
  await bench.must(['QUEUE', 'lane', 'gpu', 'paused=true']);
  const laned = await submit(bench, '--lane=gpu', 'true');
  const dependent = await submit(bench, `--after=1,any:${held}`, 'true');
  const plain = await submit(bench, 'true');
  expect(await why(bench, held)).toEqual(['held']);
  expect((await why(bench, due)).join()).toMatch(/^due in \d+ days$/);
  expect(await why(bench, laned)).toEqual(['lane gpu is paused']);
  const needs = new RegExp(`^needs 1 \\(running on ${HOST} since \\d\\d:\\d\\d\\), the end of ${held} \\(held\\)$`);
  expect((await why(bench, dependent)).join()).toMatch(needs);

  await bench.must(['QUEUE', 'kill', '2', '-q']);
  await waitFor(async () => (await bench.jobs(String(retried)))[0]?.['due'] !== undefined);
  expect((await why(bench, retried)).join()).toMatch(/^retry 1 of 2 is due in \d\d min$/);
  const listed = await bench.jobs('pending', '--fields', 'jid,waits_for');
  const [retry] = await bench.jobs(String(retried));
  const waits = [
    [retried, `due ${retry?.['due']}`],
    [due, 'due 2999-12-01T22:00:00.000Z'],
    [laned, 'lane gpu'],
    [dependent, `1, ${held}`],
  ];
  expect(listed.map(({ jid, waits_for }) => [jid, waits_for])).toEqual(expect.arrayContaining(waits));
  expect((await bench.jobs(String(laned)))[0]).toMatchObject({ waits_for: 'lane gpu' });
  const query = await bench.must(['QUEUE', 'query', `jid = ${laned}`]);
  expect(query).toMatch(/^ {2}owner: .*\n {2}waits_for: lane gpu\n/m);
  expect(await bench.must(['QUEUE', 'query', `jid = ${laned}`, '--plain', '-f', 'jid,waits_for'])).toBe(
    `${laned}\tlane gpu\n`,
  );
  expect((await bench.jobs(String(plain)))[0] ?? {}).not.toHaveProperty('waits_for');
  await end(bench);
});

test('the forms of the output, and selections', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\n'.repeat(3) });
  await bench.must(['QUEUE', 'kill', '3', '-q', '--reason', 'wrong file']);
  const sentence = 'no host feeds from this queue';
  expect(await bench.must(['QUEUE', 'why', '1-2', '--plain'])).toBe(`1\t${sentence}\n2\t${sentence}\n`);
  expect(await bench.must(['QUEUE', 'why', '1'])).toBe(
    `---\n-\n  jid: 1\n  state: pending\n  why: ${sentence}\n  hosts: []\n`,
  );
  expect(await bench.must(['QUEUE', 'why', '1', '--fields', 'why,jid'])).toBe(`---\n-\n  why: ${sentence}\n  jid: 1\n`);
  expect(await bench.must(['QUEUE', 'why', 'p', '--table'])).toMatch(
    /^jid {2}state {4}why\n {2}1 {2}pending {2}no host/,
  );
  const [dead] = await explain(bench, '3', '--full');
  expect(dead).toMatchObject({ state: 'dead', hosts: null });
  expect(dead?.why).toMatch(/^dead since \d\d:\d\d: killed before it began, by .*: wrong file$/);
  const piped = await bench.shell('rq q list pending --fields jid | rq q why - --plain');
  expect(piped.stdout).toBe(`1\t${sentence}\n2\t${sentence}\n`);
  expect(await bench.must(['QUEUE', 'why', '1', '--snapshot', '--plain'])).toBe(`1\t${sentence}\n`);

  const missing = await bench.run(['QUEUE', 'why', '1', '99']);
  expect(missing).toMatchObject({ status: 3, stdout: '' });
  expect(missing.stderr).toMatch(/^rq: no job 99 in /);
  expect(await bench.run(['QUEUE', 'why', '50-60'])).toMatchObject({ status: 3, stdout: '--- []\n' });
  expect((await bench.run(['QUEUE', 'why', 'tag=x', '--json'])).stdout).toBe('[]\n');
  expect(await bench.run(['QUEUE', 'why'])).toMatchObject({ status: 2, stdout: '' });
  const selected = await bench.run(['QUEUE', 'list', 'waits_for=x']);
  expect(selected).toMatchObject({ status: 2 });
  expect(selected.stderr).toContain('rq determines it when it prints a job');
});

test('more jobs than a batch has are explained in one document', async () => {
  const bench = await newBench();
  await bench.must(['QUEUE', 'submit', '-q', '-'], { input: 'true\n'.repeat(2_001) });
  expect(await explain(bench, 'all')).toHaveLength(2_001);
  const yaml = await bench.must(['QUEUE', 'why', 'all']);
  expect(yaml.match(/^-$/gm)).toHaveLength(2_001);
  expect(yaml.match(/^---$/gm)).toHaveLength(1);
});

test.each([1, 2] as const)(
  'jobs of a queue with schema %d are explained, and "list" shows their hosts',
  async (version) => {
    const bench = new Workbench();
    await createOldQueue(bench.queue, version);
    const explanations = await explain(bench, 'all');
    expect(explanations.find(({ state }) => state === 'pending')?.why).toMatch(/an older version of rq .* upgrade$/);
    expect(explanations.find(({ state }) => state === 'dead')?.why).toMatch(/^dead since /);
    expect(await bench.must(['QUEUE', 'list', 'pending', '--fields', 'waits_for'])).toContain(
      'waits_for: host n2, gpu*',
    );
  },
);

test('a job that is read back from the output of "list" is submitted without waits_for', async () => {
  const bench = await newBench();
  await submit(bench, '--runner=n7', 'true');
  await bench.shell('rq q list 1 | grep "waits_for: host n7"');
  await bench.shell('rq q list 1 | rq q submit -q -');
  expect((await bench.jobs('2'))[0]).toMatchObject({ runners: 'n7', state: 'pending' });
});
