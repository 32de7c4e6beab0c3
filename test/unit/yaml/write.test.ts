import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { JOB_FIELDS, type Job } from '../../../src/job/job.ts';
import { checkEntry } from '../../../src/yaml/entry.ts';
import { readPrintedJson, readPrintedYaml } from '../../../src/yaml/printed.ts';
import { jobDocument, jobListText, jobText } from '../../../src/yaml/write.ts';
import { anyJob, joined, withoutNulls } from './arbitrary.ts';

const PENDING: Job = {
  jid: 42,
  priority: 0,
  state: 'pending',
  submitted: '2026-11-21T05:12:26.131Z',
  submitter: 'node1',
  owner: 'ada',
  attempt: 0,
  tag: null,
  lanes: null,
  array: null,
  index: null,
  for: null,
  cpus: null,
  gpus: null,
  needs: null,
  after: null,
  note: null,
  restartable: false,
  paused: null,
  retries: null,
  backoff: null,
  retry_on: null,
  due: null,
  runners: null,
  memory: null,
  time_limit: null,
  warn: null,
  cwd: '/home/ada',
  env: null,
  stdin: null,
  stdout: null,
  stderr: null,
  data: null,
  script: null,
  command: 'echo "a\nb"',
};

describe('jobs as YAML', () => {
  it('are printed with one line per field that has a value, in the order of the fields, after a line with a dash', () => {
    expect(jobText(PENDING)).toBe(
      '-\n  jid: 42\n  priority: 0\n  state: pending\n  submitted: "2026-11-21T05:12:26.131Z"\n  submitter: node1\n' +
        '  owner: ada\n  attempt: 0\n  restartable: false\n  cwd: /home/ada\n  command: "echo \\"a\\nb\\""\n',
    );
  });

  it('are printed with the selected fields in the given order, even if null', () => {
    expect(jobText(PENDING, ['tag', 'exit_status', 'jid'])).toBe('-\n  tag: null\n  exit_status: null\n  jid: 42\n');
  });

  it('are printed with all fields if the list is full, and are then read back as the same job', async () => {
    const yaml = await joined(jobListText([[PENDING]], { full: true }));
    const json = await joined(jobListText([[PENDING]], { full: true, json: true }));
    expect(yaml).toContain('  runner: null\n');
    for (const entries of [readPrintedYaml(yaml), readPrintedJson(json)]) {
      expect(entries?.map(({ fields }) => fields.map(([field]) => field))).toEqual([JOB_FIELDS]);
      expect(checkEntry(entries?.[0]?.fields ?? [], () => '')).toEqual(checkEntry(Object.entries(PENDING), () => ''));
    }
  });

  it('are printed as an empty list if there are none', async () => {
    expect(await joined(jobListText([]))).toBe('--- []\n');
    expect(await joined(jobListText([[]], { json: true }))).toBe('[]\n');
  });

  it.each(['1.1', '1.2'] as const)('are read back unchanged by YAML %s', async (version) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { minLength: 1, maxLength: 4 }), async (jobs) => {
        const text = await joined(jobListText([jobs]));
        expect(text.startsWith('---\n-\n  jid: ')).toBe(true);
        expect(parse(text, { version })).toEqual(jobs.map(withoutNulls));
        expect(parse(jobDocument(jobs[0] as Job), { version })).toEqual(withoutNulls(jobs[0] as Job));
      }),
      { numRuns: 500 },
    );
  });

  it('have exactly one line per field, so that grep finds complete fields', () => {
    fc.assert(
      fc.property(anyJob, (job) => {
        const lines = jobText(job).split('\n');
        expect(lines.length).toBe(Object.keys(withoutNulls(job)).length + 2);
      }),
    );
  });

  it('are read back without a full parser', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { minLength: 1, maxLength: 4 }), async (jobs) => {
        const yaml = readPrintedYaml(await joined(jobListText([jobs])));
        const json = readPrintedJson(await joined(jobListText([jobs], { json: true })));
        for (const entries of [yaml, json]) {
          expect(entries?.map(({ fields }) => Object.fromEntries(fields))).toEqual(jobs.map(withoutNulls));
        }
      }),
    );
  });

  it.each([
    ['---\n-\n  jid: 1\n  tag: null\n-\n  jid: 2\n', [2, 5]],
    ['---\n- jid: 1\n  tag: null\n- jid: 2\n', [2, 4]],
  ])('are read without a full parser also if the first field follows the dash: %j', (text, lines) => {
    expect(readPrintedYaml(text)).toEqual([
      {
        line: lines[0],
        fields: [
          ['jid', 1],
          ['tag', null],
        ],
      },
      { line: lines[1], fields: [['jid', 2]] },
    ]);
  });

  it.each(['---\n-\n-\n  jid: 1\n', '---\n-\n  jid: 1\n-\n', '---\n-\n  jid: 1\n  jid: 2\n', '---\n-\n   jid: 1\n'])(
    'need a full parser for %j',
    (text) => {
      expect(readPrintedYaml(text)).toBeUndefined();
    },
  );
});

describe('jobs as JSON', () => {
  it('are an array with one job per line', async () => {
    const text = await joined(jobListText([[PENDING], [PENDING]], { json: true, fields: ['jid', 'pid'] }));
    expect(text).toBe('[\n{"jid":42,"pid":null},\n{"jid":42,"pid":null}\n]\n');
  });

  it('are read back unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob), async (jobs) => {
        expect(JSON.parse(await joined(jobListText([jobs], { json: true })))).toEqual(jobs.map(withoutNulls));
      }),
    );
  });
});

it('prints 100,000 jobs in small pieces', async () => {
  const batch = Array.from({ length: 1000 }, (_, index) => ({
    ...PENDING,
    jid: index + 1,
    tag: 'night',
    command: 'a: b',
  }));
  const batches = Array.from({ length: 100 }, () => batch);
  let longest = 0;
  for await (const piece of jobListText(batches)) longest = Math.max(longest, piece.length);
  expect(longest).toBeLessThan(128 * 1024);
});
