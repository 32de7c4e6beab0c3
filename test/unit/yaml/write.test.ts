import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Job } from '../../../src/job/job.ts';
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
  note: null,
  restartable: false,
  runners: null,
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
  it('are printed with one line per field, in the order of the fields', () => {
    expect(jobText(PENDING)).toBe(
      '- jid: 42\n  priority: 0\n  state: pending\n  submitted: "2026-11-21T05:12:26.131Z"\n  submitter: node1\n' +
        '  owner: ada\n  attempt: 0\n  restartable: false\n  cwd: /home/ada\n  command: "echo \\"a\\nb\\""\n',
    );
  });

  it('are printed with the selected fields in the given order, even if null', () => {
    expect(jobText(PENDING, ['tag', 'exit_status', 'jid'])).toBe('- tag: null\n  exit_status: null\n  jid: 42\n');
  });

  it('are printed as an empty list if there are none', async () => {
    expect(await joined(jobListText([]))).toBe('--- []\n');
    expect(await joined(jobListText([[]], { json: true }))).toBe('[]\n');
  });

  it.each(['1.1', '1.2'] as const)('are read back unchanged by YAML %s', async (version) => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { minLength: 1, maxLength: 4 }), async (jobs) => {
        const text = await joined(jobListText([jobs]));
        expect(text.startsWith('---\n- jid: ')).toBe(true);
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
        expect(lines.length).toBe(Object.keys(withoutNulls(job)).length + 1);
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
