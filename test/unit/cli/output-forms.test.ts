import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { plainPieces } from '../../../src/cli/output/forms/plain.ts';
import { tablePieces } from '../../../src/cli/output/forms/table.ts';
import { cutText, textWidth } from '../../../src/cli/output/forms/text-width.ts';
import { JOB_FIELDS } from '../../../src/job/job.ts';
import { jsonText } from '../../../src/job/printable.ts';
import { jobValue } from '../../../src/yaml/write.ts';
import { anyJob, anyText, joined } from '../yaml/arbitrary.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them.
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/;

async function table(jobs: readonly object[], fields: readonly string[], columns?: number): Promise<string[]> {
  return (await joined(tablePieces([jobs], fields, columns))).split('\n').slice(0, -1);
}

describe('plain lines', () => {
  it('have the fields separated by tabs, and nothing for a field without a value', async () => {
    const jobs = [
      { jid: 1, tag: null, restartable: false, command: "printf 'a\\n'\tb\n\u001b[31m" },
      { jid: 22, tag: 'x', restartable: true, elapsed: 0.5, command: 'true' },
    ];
    expect(await joined(plainPieces([jobs], ['jid']))).toBe('1\n22\n');
    expect(await joined(plainPieces([jobs], ['tag', 'elapsed', 'restartable', 'command', 'jid']))).toBe(
      "\t\tfalse\tprintf 'a\\\\n'\\tb\\n\\u001b[31m\t1\nx\t0.5\ttrue\ttrue\t22\n",
    );
    expect(await joined(plainPieces([], ['jid']))).toBe('');
  });

  it('are one for each job, contain no control characters, and can be decoded', async () => {
    const decoded = (text: string): string => JSON.parse(`"${text.replaceAll('"', '\\"')}"`) as string;
    const textOf = (value: unknown): string => (isMap(value) ? jsonText(value) : String(value ?? ''));
    const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null;
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { minLength: 1 }), async (jobs) => {
        const lines = (await joined(plainPieces([jobs], JOB_FIELDS))).split('\n').slice(0, -1);
        expect(lines).toHaveLength(jobs.length);
        for (const [index, job] of jobs.entries()) {
          const cells = (lines[index] ?? '').split('\t');
          expect(cells.join('')).not.toMatch(CONTROLS);
          expect(cells.map(decoded)).toEqual(JOB_FIELDS.map((field) => textOf(jobValue(job, field))));
        }
      }),
    );
  });
});

describe('a table', () => {
  it('aligns text to the left and numbers to the right, also wide and combining characters', async () => {
    const jobs = [
      { jid: 1, tag: '漢字', command: 'x' },
      { jid: 20, tag: 'e\u0301', command: null },
      { jid: 3, tag: '👩‍🔬', command: 'a\tb\n\u001b[31m' },
    ];
    expect(await table(jobs, ['jid', 'tag', 'command'])).toEqual([
      'jid  tag   command',
      '  1  漢字  x',
      ' 20  e\u0301',
      '  3  👩‍🔬    a\\tb\\n\\u001b[31m',
    ]);
  });

  it('has only a header without jobs', async () => {
    expect(await table([], ['jid', 'tag'])).toEqual(['jid  tag']);
    expect(await joined(tablePieces([], ['jid', 'tag'], 80))).toBe('jid  tag\n');
  });

  it('narrows the widest columns of text until it fits the terminal, and cuts no number', async () => {
    const jobs = [
      { jid: 1_000_000, tag: 'a long tag', command: 'process --input data/1.dat' },
      { jid: 1_000_001, tag: '漢字漢字漢字', command: 'true' },
    ];
    expect(await table(jobs, ['jid', 'tag', 'command'], 30)).toEqual([
      '    jid  tag        command',
      '1000000  a long t…  process -…',
      '1000001  漢字漢字…  true',
    ]);
    expect(await table(jobs, ['jid', 'tag', 'command'], 60)).toEqual([
      '    jid  tag           command',
      '1000000  a long tag    process --input data/1.dat',
      '1000001  漢字漢字漢字  true',
    ]);
  });

  it('has no line that is longer than the terminal, and no control characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob), fc.integer({ min: 1, max: 150 }), async (jobs, columns) => {
        for (const line of await table(jobs, ['jid', 'owner', 'tag', 'elapsed', 'command'], columns)) {
          expect(textWidth(line)).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(CONTROLS);
        }
      }),
    );
  });

  it('is aligned in each batch, has one header, and is not padded for one long value', async () => {
    const batches = [
      [{ jid: 1, tag: 'a' }],
      [
        { jid: 1000, tag: 'x'.repeat(1000) },
        { jid: 1001, tag: 'b' },
      ],
    ];
    const lines = (await joined(tablePieces(batches, ['tag', 'jid'], undefined))).split('\n');
    expect(lines[0]).toBe('tag  jid');
    expect(lines[1]).toBe('a      1');
    expect(lines[2]).toBe(`${'x'.repeat(1000)}  1000`);
    expect(lines[3]).toBe(`b${' '.repeat(199)}  1001`);
    expect(lines.slice(4)).toEqual(['']);
  });
});

test.each([
  ['plain', (batches: AsyncIterable<object[]>) => plainPieces(batches, ['jid', 'command'])],
  ['a table', (batches: AsyncIterable<object[]>) => tablePieces(batches, ['jid', 'command'], 80)],
] as const)('%s is printed in small pieces, before the next batch is read', async (_, print) => {
  let read = 0;
  async function* batches(): AsyncGenerator<object[]> {
    for (; read < 50; read += 1)
      yield Array.from({ length: 2_000 }, (__, jid) => ({ jid, command: 'echo '.repeat(20) }));
  }
  let printed = 0;
  for await (const piece of print(batches())) {
    expect(piece.length).toBeLessThan(128 * 1024);
    printed += piece.split('\n').length - 1;
    expect(printed).toBeGreaterThanOrEqual(read * 2_000);
  }
  expect(printed).toBeGreaterThanOrEqual(100_000);
});

describe('the width of text', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['é', 1],
    ['e\u0301', 1],
    ['漢字', 4],
    ['한글', 4],
    ['Ａ', 2],
    ['🦀', 2],
    ['👩‍👩‍👧', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['☺', 1],
    ['Ω→µ', 3],
    ['a\u200bb', 2],
  ])('%j takes %d columns', (text, width) => {
    expect(textWidth(text)).toBe(width);
  });

  it('limits text that is cut, which begins as before', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        const cut = cutText(text, columns);
        if (textWidth(text) <= columns) expect(cut).toBe(text);
        else {
          expect(textWidth(cut)).toBeLessThanOrEqual(columns);
          expect(cut.endsWith('…') && text.startsWith(cut.slice(0, -1))).toBe(true);
        }
      }),
    );
  });
});
