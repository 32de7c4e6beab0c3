import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
});

async function submit(...words: string[]): Promise<void> {
  await bench.must(['QUEUE', 'submit', '-q', ...words]);
}

async function feed(): Promise<void> {
  await bench.must(['QUEUE', 'feed', '--until-empty', '--min_sleep=0.05', '-v1']);
}

async function states(): Promise<unknown[]> {
  return (await bench.jobs()).map(({ state }) => state);
}

describe('submit --after', () => {
  test.each([
    ['7', 3, 'no job 7 in'],
    ['2', 3, 'no job 2 in'],
    ['1,tag=none', 3, 'matches tag=none'],
    ['any:5-9', 3, 'matches 5-9'],
    ['each:1', 2, 'add --array'],
    ['running', 2, 'is not a jid (41), a range'],
    ['colour=red', 2, 'no such field'],
    ['0', 2, 'is not a jid'],
  ])('%s ends with status %d, one line and no job', async (after, status, message) => {
    await submit('true');
    const { stderr, ...ended } = await bench.run(['QUEUE', 'submit', `--after=${after}`, 'true']);
    expect(ended).toMatchObject({ status, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr.match(/\n/g)).toHaveLength(1);
    expect(await states()).toEqual(['pending']);
  });

  test('can be repeated, and is printed as it was given', async () => {
    await submit('true', '--tag=a');
    await submit('true');
    await submit('true', '--after=any:tag=a', '--after=2');
    expect(await bench.jobs('3')).toMatchObject([{ after: 'any:tag=a,2' }]);
    const again = await bench.must(['QUEUE', 'list', '3']);
    await bench.must(['QUEUE', 'submit', '-'], { input: again });
    expect(await bench.jobs('4')).toMatchObject([{ after: 'any:tag=a,2', state: 'pending' }]);
  });

  test('on a job that has failed adds a dead job, and says why', async () => {
    await submit('false');
    await feed();
    const { status, stderr } = await bench.run(['QUEUE', 'submit', '--after=1', 'true']);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: 'rq: submit: a new job is dead, because it needs 1, which failed\n',
    });
    expect(await states()).toEqual(['finished', 'dead']);
    expect(await bench.run(['QUEUE', 'wait', '2'])).toMatchObject({ status: 126 });
  });

  test('pairs the tasks of two arrays of the same indexes', async () => {
    await submit('--array=1-3', 'test $RQ_INDEX != 2');
    await submit('--array=1-3', '--after=each:1', 'true');
    await submit('--after=any:array=4', 'true');
    for (const [array, status, message] of [
      ['1-2', 2, 'array 1 has 3 tasks, and the new one has 2; give both the same indexes'],
      ['2-4', 3, 'array 1 has no task with the index 4'],
    ] as const) {
      const { stderr, ...ended } = await bench.run(['QUEUE', 'submit', `--array=${array}`, '--after=each:1', 'true']);
      expect([ended.status, stderr]).toEqual([status, expect.stringContaining(message)]);
    }
    await feed();
    expect(await states()).toEqual([...Array(4).fill('finished'), 'dead', 'finished', 'finished']);
    expect(await bench.jobs('5')).toMatchObject([{ index: 2, reason: 'needs 2, which failed' }]);
  });

  test('lets the tasks of a stopped array run again that are revived', async () => {
    await submit('[ -e repaired ]');
    await submit('--array=1-2', '--max-fails=1', '--after=1', 'true');
    await feed();
    expect(await states()).toEqual(['finished', 'dead', 'dead']);
    await bench.shell('touch repaired');
    await bench.must(['QUEUE', 'resubmit', '-q', '--dependents', '1']);
    await feed();
    expect(await bench.jobs('failed')).toEqual([]);
  });

  test('in a script applies to its job', async () => {
    await submit('true');
    await bench.shell(`printf '#!/bin/bash\\n#RQ --after 1\\ntrue\\n' >job.sh`);
    await submit('--script=job.sh');
    expect(await bench.jobs('2')).toMatchObject([{ after: '1' }]);
  });

  test('applies to a job that is touched again, which keeps its place', async () => {
    await submit('true', '--tag=a');
    await bench.must(['QUEUE', 'touch', '--after=tag=a', 'echo']);
    await submit('true', '--tag=a');
    await bench.must(['QUEUE', 'touch', '--after=tag=a', '--priority=3', 'echo']);
    expect(await bench.jobs('2')).toMatchObject([{ after: 'tag=a', priority: 3 }]);
    const { status, stderr } = await bench.run(['QUEUE', 'touch', '--after=3', 'echo']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('job 2 cannot wait for job 3')]);
    await bench.must(['QUEUE', 'touch', 'echo']);
    await bench.must(['QUEUE', 'hold', '-q', '1,3']);
    await feed();
    expect(await states()).toEqual(['holding', 'finished', 'holding']);
  });
});

describe('delete', () => {
  test('refuses a job that others need, and deletes nothing', async () => {
    await submit('true');
    await submit('true');
    await submit('true', '--after=1');
    await submit('true', '--after=any:1', '--stage');
    for (const words of [['1'], ['1-2'], ['pending', 'jid=1'], ['1', '--kill']]) {
      const { status, stderr } = await bench.run(['QUEUE', 'delete', ...words]);
      expect([status, stderr]).toEqual([
        1,
        'rq: cannot delete: jobs 3, 4 need job 1; nothing was deleted; add --force to delete anyway, which counts as a failure\n',
      ]);
    }
    expect(await states()).toEqual(['pending', 'pending', 'pending', 'holding']);
    await bench.must(['QUEUE', 'delete', '-q', '--force', '1']);
    expect((await bench.jobs()).map(({ jid, state, reason }) => [jid, state, reason])).toEqual([
      [2, 'pending', undefined],
      [3, 'dead', 'needs 1, which was deleted'],
      [4, 'holding', undefined],
    ]);
  });

  test('deletes a job together with those that need it', async () => {
    await submit('true', '--tag=x');
    await submit('true', '--tag=x', '--after=1');
    await bench.must(['QUEUE', 'delete', '-q', 'tag=x']);
    expect(await bench.jobs()).toEqual([]);
  });

  test('deletes jobs that have ended, and what they decided stays decided', async () => {
    await submit('true');
    await submit('false');
    await submit('true', '--stage');
    await submit('true', '--after=1,3');
    await submit('true', '--after=failed:2,3');
    await feed();
    await bench.must(['QUEUE', 'delete', '-q', '1']);
    await bench.must(['QUEUE', 'rotate', join(bench.directory, 'rotated')]);
    await bench.must(['QUEUE', 'release', '-q', '3']);
    await feed();
    expect(await states()).toEqual(['finished', 'finished', 'finished']);
  });
});

test('kill ends a job that waits for others, and those that wait for it', async () => {
  await submit('true', '--stage');
  await submit('true', '--after=1');
  await submit('true', '--after=2');
  await bench.must(['QUEUE', 'kill', '-q', '2']);
  expect((await bench.jobs()).map(({ state, reason }) => [state, reason])).toEqual([
    ['holding', undefined],
    ['dead', expect.stringMatching(/^killed before it began, by /)],
    ['dead', 'needs 2, which failed'],
  ]);
});

test('update changes and removes the dependencies of jobs', async () => {
  await submit('true', '--stage');
  await submit('true');
  await submit('true', '--after=1');
  await submit('true', '--after=1');
  for (const [after, status] of [
    ['4', 2],
    ['3', 2],
    ['9', 3],
    ['tag=x', 3],
  ] as const) {
    expect([after, (await bench.run(['QUEUE', 'update', '3', `after=${after}`])).status]).toEqual([after, status]);
  }
  expect(await bench.jobs('3')).toMatchObject([{ after: '1' }]);
  await bench.must(['QUEUE', 'update', '-q', '3', 'after=2']);
  await bench.must(['QUEUE', 'update', '-q', '4', 'after=null']);
  await feed();
  expect(await states()).toEqual(['holding', 'finished', 'finished', 'finished']);
});

describe('resubmit', () => {
  beforeEach(async () => {
    await submit('[ -e repaired ]');
    await submit('true', '--after=1');
    await submit('true', '--after=2');
    await feed();
    await bench.shell('touch repaired');
  });

  test('of a failed job leaves the jobs that died of it dead', async () => {
    await bench.must(['QUEUE', 'resubmit', '-q', '1']);
    await feed();
    expect(await states()).toEqual(['finished', 'dead', 'dead']);
    await bench.must(['QUEUE', 'resubmit', '-q', '1', '--dependents']);
    expect(await states()).toEqual(['pending', 'pending', 'pending']);
    await feed();
    expect(await bench.jobs('failed')).toEqual([]);
  });

  test('of all failed jobs makes each wait for those that it needs', async () => {
    await bench.must(['QUEUE', 'resubmit', '-q', 'failed']);
    expect(await states()).toEqual(['pending', 'pending', 'pending']);
    await feed();
    expect(await states()).toEqual(['finished', 'finished', 'finished']);
  });

  test('of a job that died makes it dead again while its dependency has failed', async () => {
    expect(await bench.must(['QUEUE', 'resubmit', '2'])).toContain('reason: needs 1, which failed');
    expect(await states()).toEqual(['finished', 'dead', 'dead']);
    await bench.must(['QUEUE', 'resubmit', '-q', '2', '--after=null']);
    await bench.must(['QUEUE', 'resubmit', '-q', '3', '--after=2']);
    await feed();
    expect(await states()).toEqual(['finished', 'finished', 'finished']);
    expect((await bench.jobs('2,3')).map(({ after }) => after)).toEqual([undefined, '2']);
  });
});
