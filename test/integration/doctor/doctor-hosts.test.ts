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

/** Runs feeders under other host names during some work. */
async function withFeeders(hosts: readonly string[], work: () => Promise<void>): Promise<void> {
  for (const host of hosts) await bench.must(['QUEUE', 'start', '-q'], { environment: { RQ_HOST: host } });
  try {
    await work();
  } finally {
    for (const host of hosts) await bench.must(['QUEUE', 'stop'], { environment: { RQ_HOST: host } });
  }
}

/** Changes facts in the file of a feeder. */
function changeFacts(host: string, facts: Readonly<Record<string, string>>): void {
  let text = readFileSync(nodeFile(host), 'utf8');
  for (const [name, value] of Object.entries(facts)) {
    expect(text).toMatch(new RegExp(`^${name}: `, 'm'));
    text = text.replace(new RegExp(`^${name}: .*$`, 'm'), `${name}: ${JSON.stringify(value)}`);
  }
  writeFileSync(nodeFile(host), text);
}

describe('nodes:', () => {
  test('feeders of this rq report their hosts and are equal', async () => {
    await withFeeders(['h1', 'h2'], async () => {
      expect(await examine(bench, ['--with', 'h1,h2'])).toMatchObject({ verdict: 'ok', found: [] });
      expect(readFileSync(nodeFile('h1'), 'utf8')).toMatch(
        /^uid: \d+\nmount: \S+\nmount_options: \S+\nclock_offset_s: /m,
      );
    });
  });

  test('a killed feeder is noted, and its running jobs are a problem', async () => {
    await bench.must(['QUEUE', 'submit', '-q', 'true']);
    writeFileSync(nodeFile('h9'), '---\nhost: h9\nversion: "0.0.1"\n');
    utimesSync(nodeFile('h9'), LONG_AGO, LONG_AGO);
    const silent = await examine(bench);
    expect(silent.found).toContainEqual(
      `nodes: note: the feeder on h9 has sent no heartbeat since ${LONG_AGO.toISOString()}`,
    );
    expect(silent.verdict).toBe('note');
    const claim = "state = 'running', runner = 'h9', attempt = 1, started = submitted, boot = 'b', journal = 'j'";
    await bench.must(['QUEUE', 'execute', `update jobs set ${claim}`]);
    const running = await examine(bench);
    expect(running.found).toContainEqual(
      expect.stringMatching(/^running: problem: 1 job is running on h9, which has sent no heartbeat/),
    );
    rmSync(nodeFile('h9'));
    expect((await examine(bench)).found).toEqual(['running: problem: 1 job is running on h9, which has no feeder']);
  });

  test('a feeder of another version is noted', async () => {
    await withFeeders(['h1'], async () => {
      changeFacts('h1', { version: '0.0.9' });
      const { verdict, checks, found } = await examine(bench);
      expect(found).toEqual([
        expect.stringMatching(/^versions: note: the feeder on h1 runs rq 0\.0\.9, but this host has rq /),
      ]);
      expect([verdict, checks['hosts']]).toEqual(['note', 'ok']);
    });
  });

  test('a named host without a feeder is a problem', async () => {
    await withFeeders(['h1'], async () => {
      const { verdict, found } = await examine(bench, ['--with', 'h1,h7']);
      expect({ verdict, found }).toEqual({
        verdict: 'problem',
        found: ['hosts: problem: no feeder on h7 has registered with the queue'],
      });
    });
  });

  test('differences between hosts are reported, for the named hosts or for all', async () => {
    await withFeeders(['h1', 'h2'], async () => {
      changeFacts('h1', { uid: '12345', clock_offset_s: '90' });
      changeFacts('h2', { mount: 'nfs4', mount_options: 'rw,soft,vers=4.2', node: '18.0.0' });
      const of = async (...words: string[]): Promise<string[]> => (await examine(bench, words)).found;
      const first = [
        expect.stringMatching(/^hosts: problem: .+ has the uid 12345 on h1, but \d+ on this host$/),
        "hosts: note: the clock of h1 is 90.0 s ahead of the file server's",
      ];
      const second = [
        'hosts: problem: on h2: the file system is mounted with soft',
        expect.stringMatching(/^hosts: note: the queue is on nfs4 on h2, but on \S+ on this host$/),
        expect.stringMatching(/^hosts: note: h2 runs Node 18\.0\.0; this host runs Node /),
      ];
      expect(await of('--with', 'h1')).toEqual(first);
      expect(await of('--with=h2')).toEqual(second);
      expect(await of()).toEqual([...first, ...second]);
    });
  });

  test('a feeder of an old rq without facts is not compared', async () => {
    writeFileSync(nodeFile('h3'), '---\nhost: h3\nslots: 1\n');
    expect(await examine(bench)).toMatchObject({
      verdict: 'not checked',
      found: [expect.stringMatching(/^hosts: not checked: the feeder on h3 is too old/)],
    });
  });
});

describe('the runtime directory:', () => {
  test('a directory that others can write to is a problem', async () => {
    const directory = bench.environment['RQ_RUNTIME_DIR'] ?? '';
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o777);
    const { found } = await examine(bench);
    expect(found).toEqual([`runtime: problem: other users can write to ${directory}, or it is not a directory`]);
  });

  test('a path that is too long for a socket is a problem', async () => {
    const { found } = await examine(bench, [], { RQ_RUNTIME_DIR: join(bench.directory, 'd'.repeat(100)) });
    expect(found).toEqual([
      expect.stringMatching(/^runtime: problem: the path of the socket .* is longer than 107 bytes/),
    ]);
  });
});

describe('the crontab:', () => {
  test('a missing line or a missing feeder is noted', async () => {
    await bench.must(['QUEUE', 'start', '-q']);
    expect((await examine(bench)).found).toEqual(['cron: note: the crontab has no line for this queue']);
    await bench.must(['QUEUE', 'cron', 'add']);
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    await bench.must(['QUEUE', 'stop']);
    expect((await examine(bench)).found).toEqual([
      'cron: note: no feeder is running on this host, although the crontab has a line that starts one',
    ]);
  });

  test('a line for a missing program is a problem, even if the path needs quotes', async () => {
    bench.queue = join(bench.directory, "it's 100% q");
    await bench.must(['QUEUE', 'create']);
    await bench.must(['QUEUE', 'cron', 'add']);
    expect((await examine(bench)).checks['cron']).toBe('note');
    crontab.content = crontab.content.replaceAll(process.execPath, '/gone/bin/node');
    const { verdict, found } = await examine(bench);
    expect(found).toEqual(['cron: problem: the crontab runs /gone/bin/node, which does not exist']);
    expect(verdict).toBe('problem');
  });

  test('an unreadable crontab is noted if a feeder runs', async () => {
    crontab.behave('echo "You (me) are not allowed to use this program" >&2; exit 1');
    expect(await examine(bench)).toMatchObject({ verdict: 'ok' });
    await bench.must(['QUEUE', 'start', '-q']);
    expect((await examine(bench)).found).toEqual([
      expect.stringMatching(/^cron: note: cannot read the crontab: .*not allowed/),
    ]);
    await bench.must(['QUEUE', 'stop']);
  });
});
