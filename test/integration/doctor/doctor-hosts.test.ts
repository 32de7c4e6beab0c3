import { chmodSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { examine } from '../../support/doctor.ts';
import { FakeCrontab } from '../../support/fake-crontab.ts';
import { Workbench } from '../../support/program.ts';

const LONG_AGO = new Date('2020-01-01');

let bench: Workbench;
let crontab: FakeCrontab;
beforeEach(async () => {
  bench = new Workbench();
  crontab = new FakeCrontab(bench.directory);
  Object.assign(bench.environment, crontab.environment);
  await bench.must(['QUEUE', 'create']);
});

function nodeFile(host: string): string {
  return join(bench.queue, 'nodes', host);
}

/** Feeders as if on other hosts, while the work is done. */
async function withFeeders(hosts: readonly string[], work: () => Promise<void>): Promise<void> {
  for (const host of hosts) await bench.must(['QUEUE', 'start', '-q'], { environment: { RQ_HOST: host } });
  try {
    await work();
  } finally {
    for (const host of hosts) await bench.must(['QUEUE', 'stop'], { environment: { RQ_HOST: host } });
  }
}

/** Has a feeder's file say other things than it does. */
function retell(host: string, facts: Readonly<Record<string, string>>): void {
  let text = readFileSync(nodeFile(host), 'utf8');
  for (const [name, value] of Object.entries(facts)) {
    expect(text).toMatch(new RegExp(`^${name}: `, 'm'));
    text = text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${JSON.stringify(value)}`);
  }
  writeFileSync(nodeFile(host), text);
}

describe('nodes:', () => {
  test('feeders of this rq are alike, and each tells of its host', async () => {
    await withFeeders(['h1', 'h2'], async () => {
      expect(await examine(bench, ['--with', 'h1,h2'])).toMatchObject({ verdict: 'ok', found: [] });
      expect(readFileSync(nodeFile('h1'), 'utf8')).toMatch(
        /^uid: \d+\nmount: \S+\nmount_options: \S+\nclock_offset_s: /m,
      );
    });
  });

  test('one that was killed is noted, and the jobs that it ran are a problem', async () => {
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    writeFileSync(nodeFile('h9'), '---\nhost: h9\nversion: "0.0.1"\n');
    utimesSync(nodeFile('h9'), LONG_AGO, LONG_AGO);
    const silent = await examine(bench);
    expect(silent.found).toContainEqual(
      `nodes: note: no sign of life from the feeder of h9 since ${LONG_AGO.toISOString()}`,
    );
    expect(silent.verdict).toBe('note');
    const claim = "state = 'running', runner = 'h9', attempt = 1, started = submitted, boot = 'b', journal = 'j'";
    await bench.must(['QUEUE', 'execute', `update jobs set ${claim}`]);
    const running = await examine(bench);
    expect(running.found).toContainEqual(
      expect.stringMatching(/^running: problem: 1 job runs on h9, which has no sign/),
    );
    rmSync(nodeFile('h9'));
    expect((await examine(bench)).found).toEqual(['running: problem: 1 job runs on h9, which has no feeder']);
  });

  test('one of another version is noted', async () => {
    await withFeeders(['h1'], async () => {
      retell('h1', { version: '0.0.9' });
      const { verdict, checks, found } = await examine(bench);
      expect(found).toEqual([
        expect.stringMatching(/^versions: note: the feeder of h1 is of rq 0\.0\.9, and this is rq /),
      ]);
      expect([verdict, checks['hosts']]).toEqual(['note', 'ok']);
    });
  });

  test('one that was asked for and does not report is a problem', async () => {
    await withFeeders(['h1'], async () => {
      const { verdict, found } = await examine(bench, ['--with', 'h1,h7']);
      expect({ verdict, found }).toEqual({ verdict: 'problem', found: ['hosts: problem: no feeder of h7 reports'] });
    });
  });

  test('what differs between hosts is said, of those that were asked for, or of all', async () => {
    await withFeeders(['h1', 'h2'], async () => {
      retell('h1', { uid: '12345', clock_offset_s: '90' });
      retell('h2', { mount: 'nfs4', mount_options: 'rw,soft,vers=4.2', node: '18.0.0' });
      const of = async (...words: string[]): Promise<string[]> => (await examine(bench, words)).found;
      const first = [
        expect.stringMatching(/^hosts: problem: .+ has the uid 12345 on h1, and \d+ here$/),
        "hosts: note: the clock of h1 is 90.0 s ahead of the file server's",
      ];
      const second = [
        'hosts: problem: on h2: it is mounted with soft',
        expect.stringMatching(/^hosts: note: the queue is on nfs4 on h2, here on /),
        expect.stringMatching(/^hosts: note: h2 runs Node 18\.0\.0, this host /),
      ];
      expect(await of('--with', 'h1')).toEqual(first);
      expect(await of('--with=h2')).toEqual(second);
      expect(await of()).toEqual([...first, ...second]);
    });
  });

  test('one of an rq that told nothing of its host was not compared', async () => {
    writeFileSync(nodeFile('h3'), '---\nhost: h3\nslots: 1\n');
    expect(await examine(bench)).toMatchObject({
      verdict: 'not checked',
      found: [expect.stringMatching(/^hosts: not checked: the feeder of h3 does not tell/)],
    });
  });
});

describe('the runtime directory:', () => {
  test('one that others can write to is a problem', async () => {
    const directory = bench.environment['RQ_RUNTIME_DIR'] ?? '';
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o777);
    const { found } = await examine(bench);
    expect(found).toEqual([`runtime: problem: ${directory} is not a directory that only you can write to`]);
  });

  test('one whose path is too long for a socket is a problem', async () => {
    const { found } = await examine(bench, [], { RQ_RUNTIME_DIR: join(bench.directory, 'd'.repeat(100)) });
    expect(found).toEqual([
      expect.stringMatching(/^runtime: problem: the path of the socket .* is longer than 107 bytes/),
    ]);
  });
});

describe('the crontab:', () => {
  test('with a line and a feeder it is well; without one of them that is noted', async () => {
    await bench.must(['QUEUE', 'start', '-q']);
    expect((await examine(bench)).found).toEqual(['cron: note: the crontab has no line for this queue']);
    await bench.must(['QUEUE', 'cron', 'add']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    await bench.must(['QUEUE', 'stop']);
    expect((await examine(bench)).found).toEqual([
      'cron: note: no feeder runs here, though the crontab has a line for it',
    ]);
  });

  test('a line for a program that is gone is a problem, also from a path that needs quotes', async () => {
    bench.queue = join(bench.directory, "it's 100% q");
    await bench.must(['QUEUE', 'create']);
    await bench.must(['QUEUE', 'cron', 'add']);
    expect((await examine(bench)).checks['cron']).toBe('note');
    crontab.content = crontab.content.replaceAll(process.execPath, '/gone/bin/node');
    const { verdict, found } = await examine(bench);
    expect(found).toEqual(['cron: problem: the crontab runs /gone/bin/node, which is not there']);
    expect(verdict).toBe('problem');
  });

  test('one that cannot be read is noted where a feeder runs', async () => {
    crontab.behave('echo "You (me) are not allowed to use this program" >&2; exit 1');
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    await bench.must(['QUEUE', 'start', '-q']);
    expect((await examine(bench)).found).toEqual([
      expect.stringMatching(/^cron: note: cannot read the crontab: .*not allowed/),
    ]);
    await bench.must(['QUEUE', 'stop']);
  });
});
