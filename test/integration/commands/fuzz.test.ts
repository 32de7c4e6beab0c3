import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/parse/command-table.ts';
import { Connection } from '../../../src/store/connection.ts';
import { Workbench } from '../../support/program.ts';

const CALLS = Number(process.env['RQ_FUZZ'] ?? 100);
const TIMEOUT_MS = 60_000;
/** Commands that do not end, that wait for jobs, or that change files outside of the test directory. */
const EXCLUDED = new Set([
  'feed',
  'start',
  'restart',
  'cron',
  'tail',
  'ioview',
  'lock',
  'stop',
  'shutdown',
  'run',
  'wait',
]);
/** With this option, submit waits for its jobs. */
const WAIT = '--wait';

const option = fc
  .constantFrom(
    ...COMMANDS.flatMap(({ options }) => options).flatMap(({ name, short }) => [
      `--${name}`,
      ...(short === undefined ? [] : [`-${short}`]),
    ]),
    '--json',
    '-f',
    '--fields',
    '--lock-timeout',
  )
  .filter((each) => each !== WAIT);
const selection = fc.constantFrom(
  '1',
  '2-9',
  '3,5',
  'p',
  'f',
  'all',
  'finished',
  'tag=x',
  '-',
  '99',
  '9-2',
  'tag=null',
);
const assignment = fc.constantFrom('priority=3', 'tag=y', 'state=holding', 'command=true', 'tag=null', 'max_feed=2');
const sql = fc.constantFrom(
  "tag = 'x'",
  'jid > 3',
  'select * from jobs',
  'delete from jobs',
  "update jobs set tag='z'",
  ';',
);
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.integer().map(String),
  fc.constantFrom(
    '',
    '=',
    '-',
    '--',
    '../..',
    '/',
    '/dev/null',
    '/proc/nonesuch',
    '%',
    '$(exit 9)',
    '\u001b[2J',
    'x'.repeat(5000),
  ),
);
/** Whether a text can be an argument (execve(2): no NUL) and is not a path outside of the test directory. */
function isHarmless(each: string): boolean {
  return !/\p{Surrogate}|\0/u.test(each) && (!each.startsWith('/') || /^\/(?:|dev\/null|proc\/nonesuch)$/.test(each));
}

const word = fc.oneof(option, selection, assignment, sql, text).filter(isHarmless);
const command = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.constantFrom(...COMMANDS.filter(({ name }) => !EXCLUDED.has(name)).map(({ name }) => name)),
  },
  { weight: 1, arbitrary: text.filter(isHarmless) },
);
const input = fc.oneof(
  fc.constantFrom(
    '',
    '1\n',
    '---\n- jid: 2\n',
    '---\n-\n  jid: 2\n',
    '- command: true\n',
    '[{"command":"x"}]',
    'echo a\n',
    '&a [*a]\n',
    '---\n',
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }),
);

test('random arguments and input cause no stack trace, no hang, and no change if the exit status is not 0', async () => {
  const bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  const file = join(bench.directory, 'commands');
  writeFileSync(file, 'true\n'.repeat(6));
  const fill = async (): Promise<void> => {
    await bench.must(['QUEUE', 'submit', '-q', '--tag=x', '--infile', file]);
    await bench.must(['QUEUE', 'feed', '--until-empty', '--max_feed=2']);
    await bench.must(['QUEUE', 'submit', '-q', '--tag=x', '--infile', file]);
  };
  await fill();
  const rows = (): string => {
    const connection = Connection.open(join(bench.queue, 'db'), { readOnly: true, busyMs: 5000 });
    try {
      return JSON.stringify(connection.all('SELECT * FROM jobs ORDER BY jid'));
    } finally {
      connection.close();
    }
  };
  let before = rows();
  await fc.assert(
    fc.asyncProperty(command, fc.array(word, { maxLength: 4 }), input, async (name, words, bytes) => {
      const { child, ended } = bench.start(['QUEUE', name, ...words], { input: bytes });
      const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
      const { status, signal, stderr } = await ended;
      clearTimeout(timer);
      expect({ signal, stderr }).toEqual({ signal: null, stderr: expect.not.stringMatching(/internal error|^ +at /m) });
      expect([0, 1, 2, 3, 75]).toContain(status);
      const after = rows();
      if (status !== 0) expect(after).toBe(before);
      before = after;
      if (after === '[]') {
        await fill();
        before = rows();
      }
    }),
    {
      numRuns: CALLS,
      endOnFailure: true,
      ...(process.env['RQ_SEED'] === undefined ? {} : { seed: Number(process.env['RQ_SEED']) }),
    },
  );
  expect(readFileSync(file, 'utf8')).toBe('true\n'.repeat(6));
});
