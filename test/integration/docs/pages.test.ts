import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandsOf, fencedBlock } from '../../support/document.ts';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { ROOT, Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

/** A bench whose home directory contains the input files and programs that the pages assume. */
function home(): Workbench {
  const bench = new Workbench();
  const crontab = new FakeCrontab(bench.directory);
  const write = (name: string, text: string, mode = 0o644): void =>
    writeFileSync(join(bench.directory, name), text, { mode });
  write('big.txt', 'b\na\nb\n');
  write('commands.txt', 'echo three\necho four\n');
  write('jobs.yml', '---\n- command: echo five\n  tag: yaml\n- command: echo six\n  priority: 3\n');
  for (const name of ['one', 'two words']) write(`${name}.log`, 'line\n');
  for (const name of ['simulate', 'sync.sh']) write(name, '#!/bin/sh\necho "$0 $*"\n', 0o755);
  write('train.sh', fencedBlock('docs/submitting-jobs.md'));
  write('array.sh', fencedBlock('docs/arrays.md'));
  write('names.txt', 'big.txt\ntwo words.log\n');
  mkdirSync(join(bench.directory, 'params'));
  write('params/a.txt', 'a parameter\n');
  Object.assign(bench.environment, { PATH: `${join(ROOT, 'bin')}:${crontab.environment['PATH']}` });
  return bench;
}

/** A queue with finished jobs 1 to 4, of which 3 and 4 failed, and pending jobs 5 to 7. */
async function addJobs(bench: Workbench): Promise<void> {
  await bench.shell('rq ~/q create');
  await bench.shell("printf 'echo report\\nseq 3\\nexit 1\\nexit 2\\n' | rq ~/q submit -q --tag night -");
  await bench.shell('rq ~/q feed --until-empty -v1');
  await bench.shell("printf 'true\\ntrue\\ntrue\\n' | rq ~/q submit -q --tag later -");
}

/** Runs every command of a page in order; while a feeder runs, each command waits until the jobs have ended. */
async function runPage(bench: Workbench, page: string): Promise<Map<string, string>> {
  const outputs = new Map<string, string>();
  let isFeeding = false;
  for (const command of commandsOf(page)) {
    if (isFeeding && !/ (submit|start|shutdown|restart|update)\b/.test(command)) {
      await waitFor(async () => {
        const { pending, running } = await bench.counts();
        return pending === 0 && running === 0;
      });
    }
    outputs.set(command, (await bench.shell(command)).stdout);
    if (/ start\b/.test(command)) isFeeding = true;
    if (/ shutdown$/.test(command)) isFeeding = false;
  }
  return outputs;
}

describe('every command on this page succeeds', () => {
  test('Submitting jobs', async () => {
    const outputs = await runPage(home(), 'docs/submitting-jobs.md');
    expect(outputs.get("rq ~/q submit --stdin=big.txt 'wc -l'")).toContain('stdin: stdin/');
    expect(outputs.get("rq ~/q touch --tag nightly --priority 3 './sync.sh'")).toContain('priority: 3');
    expect(outputs.get('rq ~/q list tag=later --fields jid,due')?.match(/due: .*Z/g)).toHaveLength(4);
    expect(outputs.get('rq ~/q list tag=limited --fields jid,memory,time_limit,warn')).toContain('memory: 4294967296');
    expect(
      outputs.get('rq ~/q list tag=limited | rq ~/q update time_limit=3h -')?.match(/time_limit: 10800/g),
    ).toHaveLength(3);
  });

  test('the jobs of Submitting jobs run and have the output that the page promises', async () => {
    const bench = home();
    await runPage(bench, 'docs/submitting-jobs.md');
    await bench.shell('rq ~/q update pending runners=null >/dev/null; rq ~/q feed --until-empty -v1');
    const jobs = await bench.jobs('all');
    const outputOf = (part: string): string => {
      const job = jobs.find(({ command }) => String(command).includes(part));
      expect(job).toMatchObject({ state: 'finished', exit_status: 0 });
      return bench.stdout(Number(job?.['jid']));
    };
    expect(outputOf('wc -l')).toBe('3\n');
    expect(outputOf('RQ_DATA')).toBe('a parameter\n');
    expect(outputOf('echo two')).toBe('two\n');
    expect(outputOf('simulate 7')).toBe('./simulate 7\n');
    expect(outputOf('RQ_SCRIPT')).toBe('training with seed 1 and options --epochs 10\n');
    expect(jobs.filter(({ tag }) => tag === 'training').map(({ priority }) => priority)).toEqual([4, 7]);
    expect(outputOf('$MODE')).toBe('7 fast\n');
    expect(outputOf('$SIZES')).toBe('1,2,3\n');
    expect(jobs.filter(({ tag }) => tag === 'nightly')).toHaveLength(1);
  });

  test('Arrays and sweeps', async () => {
    const bench = home();
    const outputs = new Map<string, string>();
    for (const command of commandsOf('docs/arrays.md')) {
      const isWaiting = / (?:wait|submit --wait) /.test(command);
      if (isWaiting) await bench.shell('rq ~/q start --max_feed 4');
      outputs.set(command, (await bench.shell(command)).stdout);
      if (isWaiting) await bench.shell('rq ~/q shutdown');
    }
    await bench.shell('rq ~/q feed --until-empty -v1');
    const swept = await bench.jobs('tag=sweep');
    expect(swept.map(({ jid }) => bench.stdout(Number(jid)))).toEqual(
      ['0.1', '0.01'].flatMap((lr) => [1, 2, 3].map((seed) => `./simulate --lr ${lr} --seed ${seed}\n`)),
    );
    expect((await bench.jobs('tag=count')).map(({ jid }) => bench.stdout(Number(jid)))).toEqual(['3\n', '1\n']);
    expect(readdirSync(bench.directory).filter((name) => name.endsWith('.gz'))).toEqual([
      'one.log.gz',
      'two words.log.gz',
    ]);
    expect(
      outputs.get('rq ~/q list tag=careful dead --fields jid,index,reason')?.match(/stopped after 3 failures/g),
    ).toHaveLength(17);
    expect(outputs.get('rq ~/q resubmit tag=careful failed --fields jid,state')?.match(/pending/g)).toHaveLength(20);
    expect((await bench.jobs('tag=script')).map(({ jid }) => bench.stdout(Number(jid)))).toEqual(
      [1, 2, 3, 4, 7].map((index) => `task ${index}\n`),
    );
  });

  test('Controlling jobs', async () => {
    const bench = home();
    const outputs = new Map<string, string>();
    const isDone = async (): Promise<boolean> =>
      (await bench.jobs('running', 'pending')).every(({ runners }) => runners);
    for (const command of commandsOf('docs/controlling-jobs.md')) {
      const tag = / (?:kill|pause|signal USR1) (tag=\w+)/.exec(command)?.[1];
      if (tag !== undefined) await waitFor(async () => Number((await bench.jobs(tag))[0]?.['pid']) > 0);
      if (/ (?:list|execute|shutdown)\b/.test(command)) await waitFor(isDone, 60_000);
      outputs.set(command, (await bench.shell(command)).stdout);
    }
    const jobs = await bench.jobs();
    const [hang, wrong, careful, slow, , , flaky] = jobs;
    expect(hang).toMatchObject({ state: 'finished', signal: 'SIGTERM' });
    expect(wrong?.['reason']).toMatch(/^killed by .*: wrong input file$/);
    expect(careful).toMatchObject({ exit_status: 1 });
    expect(slow?.['reason']).toBe('time limit of 2s');
    expect(flaky).toMatchObject({ exit_status: 0, attempt: 2 });
    expect(outputs.get('rq ~/q pause tag=long')).toContain('paused: true');
    expect(outputs.get('rq ~/q release holding')).toContain('state: pending');
    const talkative = jobs.find((job) => job['tag'] === 'talkative');
    expect(bench.stdout(Number(talkative?.['jid']))).toMatch(/^step \d+\n$/);
  });

  test('Why is my job pending?', async () => {
    const bench = home();
    const outputs: string[] = [];
    for (const command of commandsOf('docs/why.md')) {
      if (command.includes(' why pending')) await waitFor(async () => (await bench.jobs('finished')).length === 1);
      outputs.push((await bench.shell(command)).stdout);
    }
    const printed = outputs.join('');
    expect(printed).toContain('why: no host feeds from this queue');
    expect(printed).toMatch(/why: "asks for 999 cpus; the largest host that feeds has \d+: never"/);
    expect(printed).toMatch(/^2\tonly othernode may run it, and othernode does not feed from this queue\n3\theld$/m);
    expect(printed).toContain('waits_for: host othernode');
    expect(printed).toMatch(/why: "finished with exit status 0 on .* at \d\d:\d\d/);
    expect(printed).toMatch(/failed with exit status 3 on .* at \d\d:\d\d \(after /);
  });

  test('Dependencies', async () => {
    const bench = home();
    const outputs = await runPage(bench, 'docs/dependencies.md');
    const jobs = await bench.jobs();
    const tagged = (tag: string): Record<string, unknown>[] => jobs.filter((job) => job['tag'] === tag);
    const outputOf = (tag: string): string =>
      tagged(tag)
        .map(({ jid }) => bench.stdout(Number(jid)))
        .join('');
    expect(bench.stdout(2)).toBe('./simulate 1\n');
    expect(outputOf('report')).toBe('./simulate 2\n./simulate 3\n');
    expect([outputOf('alarm'), outputOf('cleanup')]).toEqual(['no input\n', 'clean up\n']);
    expect(outputOf('pair')).toBe('1\n2\n3\n');
    const dead = outputs.get('rq ~/q list dead --fields jid,tag,reason');
    expect(dead?.match(/reason: needs \d+, which failed/g)).toHaveLength(2);
    expect(outputs.get('rq ~/q resubmit tag=flaky --dependents')?.match(/state: pending/g)).toHaveLength(3);
    expect(outputs.get('rq ~/q list tag=plot --fields jid,state')).toContain('state: finished');
    expect(outputs.get('rq ~/q list tag=sink --fields jid,state,after')).toContain('after: tag=report');
    expect(jobs.filter(({ state }) => state !== 'finished')).toEqual([]);
  });

  test('Waiting for jobs', async () => {
    const bench = home();
    const outputs = await runPage(bench, 'docs/waiting-for-jobs.md');
    expect(readFileSync(join(bench.directory, 'counts.txt'), 'utf8')).toMatch(/^ +1 a\n +2 b\n$/);
    expect(outputs.get('rq ~/q run -- sort --reverse big.txt')).toBe('b\nb\na\n');
    const waited = outputs.get('rq ~/q wait tag=night1 --fields jid,exit_status,elapsed');
    expect(waited?.match(/exit_status: 0/g)).toHaveLength(2);
    expect(outputs.get('rq ~/q state 1-3')).toBe('1 finished\n2 finished\n3 finished\n');
    expect(outputs.get('rq ~/q state --snakemake 1')).toBe('success\n');
  });

  test('the script of Waiting for jobs uses the output of its jobs, or reports their status', async () => {
    const bench = home();
    const page = readFileSync(join(ROOT, 'docs/waiting-for-jobs.md'), 'utf8');
    const script = /^```bash\n(.*?)^```$/ms.exec(page)?.[1] ?? '';
    expect(script.trim().split('\n').length).toBeLessThanOrEqual(12);
    writeFileSync(join(bench.directory, 'script'), script, { mode: 0o755 });
    writeFileSync(join(bench.directory, 'failing'), script.replace('wc -l', 'grep -q x'), { mode: 0o755 });
    await bench.shell('rq ~/q create && rq ~/q start');
    expect((await bench.shell('./script')).stdout).toBe('');
    expect(readFileSync(join(bench.directory, 'lines.txt'), 'utf8')).toBe('100\n200\n300\n');
    const { stderr } = await bench.shell('./failing');
    expect(stderr).toMatch(/^jobs failed with status 1:\n---\n/);
    expect(stderr.match(/exit_status: 1$/gm)).toHaveLength(3);
    await bench.shell('rq ~/q shutdown');
  });

  test('Selecting and changing jobs', async () => {
    const bench = home();
    await addJobs(bench);
    const outputs = await runPage(bench, 'docs/selecting-jobs.md');
    expect(outputs.get('rq ~/q list failed')?.match(/exit_status: [12]/g)).toHaveLength(2);
    expect(outputs.get('rq ~/q stdout 1')).toBe('report\n');
    expect(outputs.get("rq ~/q list finished --fields jid,exit,elapsed | grep -c 'exit_status: 0'")).toBe('2\n');
    expect(await bench.jobs('tag=soon')).toEqual([]);
  });

  test('Cpus, memory and other resources', async () => {
    const bench = home();
    const outputs = new Map<string, string>();
    // The page waits for its jobs itself. One of them stays pending until the page changes it.
    for (const command of commandsOf('docs/sizes.md')) outputs.set(command, (await bench.shell(command)).stdout);
    const node = outputs.get('rq ~/q nodes --fields host,cpus,memory,gpus,have,used');
    expect(node).toContain('  cpus: 4\n  memory: 8589934592\n');
    expect(node).toContain('  have:\n    licence: 2\n    port: 1\n');
    expect(outputs.get('rq ~/q list tag=sized --fields jid,cpus,memory')).toContain('memory: 3221225472');
    const waited = outputs.get('rq ~/q wait tag=sized --fields jid,exit_status,needs');
    expect(waited).toContain('needs: licence=2,port=1');
    expect(outputs.get('rq ~/q list tag=huge --fields jid,state,cpus')).toContain('state: pending\n  cpus: 64\n');
  });

  test('GPUs', async () => {
    const bench = home();
    const outputs = await runPage(bench, 'docs/gpus.md');
    expect(outputs.get('rq ~/q nodes --fields host,gpus,used')).toContain('gpus: 4\n');
    const jobs = outputs.get('rq ~/q list tag=night --fields jid,gpus,devices');
    expect(jobs).toMatch(/gpus: 1\n {2}devices: "?\d"?\n/);
    expect(jobs).toMatch(/gpus: 2\n {2}devices: "?\d,\d"?\n/);
    expect(outputs.get('rq ~/q stdout 2')).toMatch(/^training on \d,\d\n$/);
    expect(outputs.get('rq ~/q2 nodes --fields host,gpus')).toContain('gpus: 2\n');
  });

  test('Running feeders', async () => {
    const outputs = await runPage(home(), 'docs/running-feeders.md');
    expect(outputs.get('rq ~/q nodes --fields host,state,slots')).toContain('state: feeding');
    expect(outputs.get('rq ~/q cron tab')).toContain('@reboot');
    expect(outputs.get('rq ~/q nodes --fields host,state,drained_by,reason')).toContain('reason: new disk');
  });

  test('Lanes and shares', async () => {
    const bench = home();
    const outputs = await runPage(bench, 'docs/lanes.md');
    const jobs = await bench.jobs();
    expect(jobs.filter(({ state }) => state === 'finished')).toHaveLength(6);
    expect(outputs.get('rq ~/q lane')).toMatch(/name: disk\n {2}paused: true\n {2}running: 0\n {2}pending: 1\n/);
    expect(outputs.get('rq ~/q why tag=waiting')).toContain('lane disk is paused');
    expect(outputs.get('rq ~/q lane disk paused=false limit=1')).toContain('limit: 1');
    expect(outputs.get('rq ~/q status --fields lanes')).toContain('name: licence');
    expect(outputs.get('rq ~/q lane licence limit=null')).not.toContain('limit');
    expect(outputs.get('rq ~/q configure')).toContain('max_per_user: null\nfair: true\n');
  });

  test('Maintaining a queue', async () => {
    const bench = home();
    await addJobs(bench);
    const outputs = await runPage(bench, 'docs/maintaining-a-queue.md');
    expect(outputs.get('rq ~/q rotate ~/done.tgz')).toContain('jobs: 4');
    expect(outputs.get('rq ~/q recover')).toContain('damage: none');
  });

  test('Coming from Slurm', async () => {
    const outputs = await runPage(home(), 'docs/from-slurm.md');
    const listed = outputs.get('rq ~/q list tag=array --fields jid,state,exit_status,elapsed');
    expect(listed?.match(/state: finished/g)).toHaveLength(5);
  });

  test('Coming from GNU parallel', async () => {
    const outputs = await runPage(home(), 'docs/from-gnu-parallel.md');
    expect(outputs.get('ls *.log.gz')).toBe('one.log.gz\ntwo words.log.gz\n');
  });

  test('Troubleshooting', async () => {
    const outputs = await runPage(home(), 'docs/troubleshooting.md');
    expect(outputs.get('rq ~/q doctor --fields verdict,checks')).toContain('verdict:');
  });
});
