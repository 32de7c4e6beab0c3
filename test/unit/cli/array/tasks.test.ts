import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexedTasks, sweepTasks, taskSubmissions } from '../../../../src/cli/input/array/tasks.ts';
import { submission } from '../../../support/queue.ts';

const names = ['a', 'b_2', '__proto__', 'constructor', 'RQ'];
const sweeps = fc
  .array(fc.array(fc.string({ maxLength: 3 }), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
  .map((lists) => lists.map((values, at) => ({ name: names[at] ?? '', values })));

/** The product by recursion. */
function product(lists: readonly (readonly string[])[]): string[][] {
  const [first, ...others] = lists;
  if (first === undefined) return [[]];
  return first.flatMap((value) => product(others).map((more) => [value, ...more]));
}

test('the tasks of a sweep are the product of its values, of which the last name varies fastest', () => {
  fc.assert(
    fc.property(sweeps, (sweep) => {
      const expected = product(sweep.map(({ values }) => values));
      const tasks = sweepTasks(sweep, (values) => JSON.stringify(Object.entries(values)));
      const found = [...tasks];
      expect(tasks.length).toBe(expected.length);
      expect(found.map(({ index }) => index)).toEqual(expected.map((_, at) => at + 1));
      expect(found.map(({ for: values = {} }) => sweep.map(({ name }) => values[name]))).toEqual(expected);
      expect(found.map(({ command }) => command)).toEqual(
        expected.map((values) => JSON.stringify(values.map((value, at) => [sweep[at]?.name, value]))),
      );
      // A transaction that starts over reads them again.
      expect([...tasks]).toEqual(found);
    }),
  );
});

test('the submission of a task is that of the job with its own index, values and command', () => {
  const base = submission('run', { tag: 't', cpus: 2 });
  const sweep = [{ name: 'x', values: ['1', '2'] }];
  const list = taskSubmissions(
    base,
    sweepTasks(sweep, ({ x }) => `run ${x}`),
  );
  expect(list.length).toBe(2);
  expect([...list]).toEqual([
    { ...base, index: 1, for: { x: '1' }, command: 'run 1' },
    { ...base, index: 2, for: { x: '2' }, command: 'run 2' },
  ]);
  expect([...taskSubmissions(base, sweepTasks(sweep, undefined))].map(({ command }) => command)).toEqual([
    'run',
    'run',
  ]);
  expect([...taskSubmissions(base, indexedTasks(Uint32Array.of(5, 3)))]).toEqual([
    { ...base, index: 5 },
    { ...base, index: 3 },
  ]);
  expect(base).toEqual(submission('run', { tag: 't', cpus: 2 }));
});
