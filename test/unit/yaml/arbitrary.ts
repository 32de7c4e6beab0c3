import fc from 'fast-check';
import type { Job } from '../../../src/job/job.ts';

/** Text that YAML readers have misread or refused. */
export const HOSTILE_TEXTS: readonly string[] = [
  ...['yes', 'no', 'y', 'n', 'Y', 'on', 'Off', 'true', 'FALSE', 'null', 'Null', '~', '', ' ', '  a', 'a  ', 'a  b'],
  ...['0', '010', '0x1F', '0o7', '0b1', '1e3', '1_000', '1,000', '12:30:45', '190:20:30', '.inf', '-.INF', '.nan', '.'],
  ...['+1', '-1', '1.', '.5', '1e-7', '2024-01-02', '2024-01-02T03:04:05.678Z', '2001-12-14 21:59:43.10 -5', '=', '<<'],
  ...[
    '- x',
    '-',
    '--',
    '---',
    '...',
    '--- a',
    '? a',
    ': a',
    'a: b',
    'a:',
    ':sym',
    'a #b',
    '#a',
    'a#b',
    '@a',
    '`a`',
    '%a',
  ],
  ...['&a b', '*a', '!a b', '!!str x', '|', '>', '|-', '[a]', '{a: b}', '[', '{', ']', '}', ',', "'a'", '"a"', "it's"],
  ...['a\\b', '\\', '\\n', 'a\nb', 'a\r\nb', '\n', '\t', 'a\tb', '\u0000', '\u0007', '\u001b[31m', '\u007f', '\u0085'],
  ...[
    '\u00a0',
    '\u009f',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\ufeffa',
    '\ufffe',
    '\uffff',
    '\ufffd',
    '🦀',
    'é',
    '漢字',
    'a\u0301',
  ],
  ...[
    '/bin/true',
    './run',
    '../run',
    'a=b',
    'echo a && echo b; c | d > e',
    'x'.repeat(5000),
    'a '.repeat(700),
    '!ruby/object:X',
  ],
  ...[
    'NaN',
    'Infinity',
    'inf',
    'nil',
    'None',
    'e3',
    'E5',
    '_1',
    '_',
    'a_1',
    'yes no',
    'null null',
    'a,b',
    'a?',
    'a*',
    'a!',
  ],
];

const character = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
  fc.constantFrom(
    ...'\u0000\t\n\r\u001b\u007f\u0085\u009f\u00a0\u2028\u2029\ufeff\ufffe\uffff #:-?,[]{}&*!|>\'"%@`\\=<~.0123456789eExX_+/',
  ),
  fc.constantFrom('🦀', '漢', 'é', 'a', 'b', ' '),
);

export const anyText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.array(character, { maxLength: 12 }).map((characters) => characters.join('')),
  fc.tuple(fc.constantFrom(...HOSTILE_TEXTS), fc.constantFrom(...HOSTILE_TEXTS)).map(([a, b]) => a + b),
);

/** Any job of any state, with the fields of that state. */
export const anyJob: fc.Arbitrary<Job> = fc
  .record({
    jid: fc.integer({ min: 1, max: 2 ** 40 }),
    priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    submitted: fc.constant('2026-11-21T05:12:26.131Z'),
    submitter: fc.constantFrom('node1', '12', 'no'),
    owner: anyText,
    attempt: fc.nat(9),
    tag: fc.option(anyText),
    note: fc.option(anyText),
    lanes: fc.constantFrom(null, 'gpu', 'disk,licence-1'),
    array: fc.option(fc.nat(99)),
    index: fc.option(fc.nat(99)),
    for: fc.option(fc.dictionary(fc.constantFrom('lr', 'seed', 'A_1'), anyText)),
    cpus: fc.option(fc.integer({ min: 1, max: 99 })),
    gpus: fc.option(fc.integer({ min: 1, max: 9 })),
    needs: fc.constantFrom(null, 'licence=2,port=1'),
    after: fc.constantFrom(null, '41,any:42', 'tag=night 1'),
    restartable: fc.boolean(),
    paused: fc.constantFrom(null, true),
    retries: fc.option(fc.nat(9)),
    backoff: fc.constantFrom(null, '30s..1h'),
    retry_on: fc.constantFrom(null, '3,64-78,SIGKILL'),
    due: fc.constantFrom(null, '2026-11-21T05:12:26.131Z'),
    runners: fc.option(fc.constantFrom('node*,gpu[12]', '*')),
    memory: fc.option(fc.integer({ min: 2 ** 24, max: 2 ** 50 })),
    time_limit: fc.option(fc.integer({ min: 1, max: 10_000_000 })),
    warn: fc.option(fc.constantFrom('USR2@60s', 'term@1h30m')),
    cwd: anyText.map((text) => `/${text}`),
    env: fc.option(fc.dictionary(fc.constantFrom('A', 'y', 'NO', '_', 'jid', 'B_1'), anyText)),
    stdin: fc.option(fc.constant('stdin/1')),
    stdout: fc.constant('stdout/1'),
    stderr: fc.constant(null),
    data: fc.constant(null),
    script: fc.constant(null),
    command: anyText,
  })
  .chain((base) =>
    fc.oneof(
      fc.constant({ ...base, state: 'pending' as const }),
      fc
        .record({
          pid: fc.nat(),
          devices: fc.constantFrom(null, '0,1', 'GPU-1f'),
          elapsed: fc.double({ min: 0, max: 1e9, noNaN: true }),
          reason: anyText,
          left_behind: fc.option(fc.integer({ min: 1, max: 99 })),
          max_rss: fc.option(fc.nat()),
          cpu_time: fc.option(fc.integer({ min: 0, max: 1e9 }).map((milliseconds) => milliseconds / 1000)),
        })
        .map((more) => ({
          ...base,
          ...more,
          // A reader may print -0 as 0.
          elapsed: more.elapsed + 0,
          state: 'dead' as const,
          started: '2026-11-21T05:12:26.131Z',
          finished: '2026-11-21T05:12:27.131Z',
          runner: 'node1',
          exit_status: null,
          signal: 'SIGKILL',
        })),
    ),
  );

/** The job as it should be read back: without the fields that have no value. */
export function withoutNulls(job: Job): Record<string, unknown> {
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== null));
}

export async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}
