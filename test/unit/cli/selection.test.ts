import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jidsIn } from '../../../src/cli/input/jid-lines.ts';
import { parseSelection } from '../../../src/cli/input/selection.ts';
import { chooseFields } from '../../../src/cli/output/fields.ts';
import { JOB_FIELDS, JOB_STATES, type Job } from '../../../src/job/job.ts';
import type { Selection } from '../../../src/job/selection.ts';
import { uniquePrefix } from '../../../src/job/terms/names.ts';
import { jobListText } from '../../../src/yaml/write.ts';
import { anyJob, joined } from '../yaml/arbitrary.ts';

/** Whether a selection selects a job, by definition. */
function selects(selection: Selection, job: Job): boolean {
  const { all, ranges, states, pairs } = selection;
  const named =
    all || states.includes(job.state) || ranges.some(({ first, last }) => job.jid >= first && job.jid <= last);
  const alone = !all && ranges.length === 0 && states.length === 0;
  const fits = pairs.every(
    ({ field, value }) => ((job as unknown as Record<string, unknown>)[field] ?? null) === value,
  );
  return (named || (alone && pairs.length > 0)) && fits;
}

const jid = fc.integer({ min: 1, max: 30 });
const part = fc.oneof(
  jid.map((first) => ({ word: `${first}`, has: (job: Job) => job.jid === first })),
  fc.tuple(jid, fc.nat(9)).map(([first, more]) => ({
    word: `${first}-${first + more}`,
    has: (job: Job) => job.jid >= first && job.jid <= first + more,
  })),
  fc.tuple(fc.constantFrom(...JOB_STATES), fc.nat(9)).map(([state, length]) => ({
    word: state.slice(0, Math.max(1, length)),
    has: (job: Job) => job.state === state,
  })),
  fc.constant({ word: 'all', has: () => true }),
);

describe('a selection in words', () => {
  it('selects the union of its parts', () => {
    const jobs = fc.array(fc.tuple(anyJob, jid).map(([job, number]) => ({ ...job, jid: number }) as Job));
    fc.assert(
      fc.property(fc.array(part), fc.boolean(), jobs, (parts, asList, some) => {
        const words = parts.map(({ word }) => word);
        const selection = parseSelection(asList && words.length > 0 ? [words.join(',')] : words);
        for (const job of some) expect(selects(selection, job)).toBe(parts.some(({ has }) => has(job)));
      }),
    );
  });

  it('pairs restrict a selection, and alone they select from all jobs', () => {
    const pairs = [
      { field: 'exit_status', value: 1 },
      { field: 'tag', value: 'a=b,c' },
    ];
    expect(parseSelection(['f', 'exit=1', 'tag=a=b,c'])).toEqual({
      all: false,
      ranges: [],
      states: ['finished'],
      pairs,
    });
    expect(parseSelection(['tag=null']).pairs).toEqual([{ field: 'tag', value: null }]);
    expect(parseSelection(['runner=n1', 'restartable=true', 'state=r', 'elapsed=1.5']).pairs).toEqual([
      { field: 'runner', value: 'n1' },
      { field: 'restartable', value: 1 },
      { field: 'state', value: 'running' },
      { field: 'elapsed', value: 1.5 },
    ]);
  });

  it.each([
    ['0', 'is not a jid'],
    ['9007199254740993', 'is not a jid'],
    ['5-3', 'is reversed: give 3-5'],
    ['1,,2', 'is not a valid selection'],
    ['1-', 'is not a valid selection'],
    ['-5', 'is not a valid selection'],
    ['1.5', 'is not a valid selection'],
    ['x', 'is not a valid selection'],
    ['', 'is not a valid selection'],
    ['al', 'is not a valid selection'],
    ['pendign', '"pendign" is not a valid selection; did you mean pending? Give jids'],
    ['1,fnished', '"fnished" in "1,fnished" is not a valid selection; did you mean finished?'],
    ['state=runing', 'is not a valid selection; did you mean running?'],
    ['xyz', 'is not a valid selection: give jids'],
    ['s=1', 'is ambiguous: give state or submitted'],
    ['tga=1', 'did you mean tag'],
    ['=1', 'no such field'],
    ['tag=', 'tag=null'],
    ['priority=high', 'an integer'],
    ['restartable=1', 'true or false'],
    ['state=gone', 'is not a valid selection'],
    ['jid=1 OR 1=1', 'an integer'],
  ])('refuses %j', (word, message) => {
    expect(() => parseSelection([word])).toThrow(message);
  });
});

describe('jids in text', () => {
  async function jids(text: string): Promise<number[]> {
    return [...(await jidsIn(text))];
  }

  it('are found in the output of rq, whatever the jobs contain', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyJob, { selector: ({ jid: number }) => number }),
        fc.boolean(),
        async (some, json) => {
          const jobs = some.map((job) => ({ ...job, command: 'echo "jid": 7, jid: 8\njid: 9\n10', tag: '"jid":11' }));
          const text = await joined(jobListText([jobs], { json }));
          expect(await jids(text)).toEqual(jobs.map(({ jid: number }) => number));
          // The output of grep is not a document.
          const left = text.split('\n').filter((line) => /jid|command/.test(line));
          expect(await jids(left.join('\n'))).toEqual(jobs.map(({ jid: number }) => number));
        },
      ),
    );
  });

  it.each([
    ['42\n43\n 45 \n', [42, 43, 45]],
    ['--\n42\n\n# these\n- 43\n', [42, 43]],
    ['jid: 42\n', [42]],
    ['- jid: 42\n  command: jid: 3\n', [42]],
    ['-\n  jid: 42\n  command: jid: 3\n', [42]],
    ['---\n-\n42\n-\n43\n', [42, 43]],
    ['  "jid": 42,\n', [42]],
    ['[{"jid":1},{"jid": 2}]', [1, 2]],
    ['---\nstate: dead\nno jid here 5\npid: 77\n', []],
    // Block scalars of other YAML writers.
    ['- command: |\n    cat <<E\n    4\n    jid: 2\n    E\n  jid: 6\n', [6]],
    ['command: |\n  4\n  jid: 2\njid: 6\n', [6]],
    ["- command: 'cat <<E\n\n    4\n\n    jid: 2\n\n    E'\n  jid: 6\n", [6]],
    // Parts of documents, as grep prints them.
    ['state: dead\ncommand: |\n  4\n  jid: 2\njid: 6\nx\n', [6]],
    ['  command: |\n    4\n    jid: 2\n  jid: 6\nx\n', [6]],
  ])('are found in %j', async (text, ranges) => {
    expect(await jids(text)).toEqual(ranges);
  });
});

it.each(['17\n16\nabc\n', 'echo 5\n'])('a list of jids with other text is refused: %j', async (text) => {
  await expect(jidsIn(text)).rejects.toThrow('contains no jid');
});

describe('chosen fields', () => {
  it.each([
    ['command,jid', ['command', 'jid']],
    ['j,comm,exit', ['jid', 'command', 'exit_status']],
    ['runner', ['runner']],
    ['^st', ['state', 'started', 'stdin', 'stdout', 'stderr']],
    ['jid,^j.d$,jid', ['jid']],
    ['std.*', ['stdin', 'stdout', 'stderr']],
    [
      'std,s,jid',
      ['stdin', 'stdout', 'stderr', 'state', 'submitted', 'started', 'submitter', 'signal', 'script', 'jid'],
    ],
  ])('%s are %j', (text, fields) => {
    expect(chooseFields(text, JOB_FIELDS)).toEqual(fields);
  });

  it.each([
    ['commnad', 'did you mean command?'],
    ['jid,,tag', 'there is no field ""'],
    ['(', 'cannot select fields by "("'],
    ['^zz', 'there is no field'],
  ])('refuses %j', (text, message) => {
    expect(() => chooseFields(text, JOB_FIELDS)).toThrow(message);
  });

  it('an exact name has precedence over names that start with it', () => {
    expect(uniquePrefix('runner', ['runners', 'runner'], 'field')).toBe('runner');
  });
});
