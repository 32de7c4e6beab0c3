import type { Variables } from '../../../job/columns/variables.ts';
import type { Submission } from '../../../job/job.ts';
import type { SubmissionList } from '../../../queue/jobs/submit.ts';
import type { SweepVariable } from './sweep-values.ts';
import type { TaskCommand } from './task-command.ts';

/** What a task has of its own. Without a command of its own, it has that of all tasks. */
export interface Task {
  readonly index: number;
  readonly for?: Variables;
  readonly command?: string;
}

/** The tasks of an array or a sweep. They are made one at a time, because there may be millions. */
export interface Tasks extends Iterable<Task> {
  readonly length: number;
}

/** A task for each index. */
export function indexedTasks(indexes: Uint32Array): Tasks {
  return {
    length: indexes.length,
    *[Symbol.iterator]() {
      for (const index of indexes) yield { index };
    },
  };
}

/** A task for each combination of values. The last name varies fastest. The first task has the index 1. */
export function sweepTasks(sweep: readonly SweepVariable[], command: TaskCommand | undefined): Tasks {
  const combinations = combinationsOf(sweep);
  return {
    length: combinations.length,
    *[Symbol.iterator]() {
      let index = 0;
      for (const values of combinations) {
        index += 1;
        yield command === undefined ? { index, for: values } : { index, for: values, command: command(values) };
      }
    },
  };
}

/** The product of the values. */
export function combinationsOf(sweep: readonly SweepVariable[]): Iterable<Variables> & { readonly length: number } {
  const names = sweep.map(({ name }) => name);
  const length = sweep.reduce((product, { values }) => product * values.length, 1);
  return {
    length,
    *[Symbol.iterator]() {
      const positions = sweep.map(() => 0);
      for (let count = 0; count < length; count += 1) {
        yield Object.fromEntries(names.map((name, at) => [name, sweep[at]?.values[positions[at] ?? 0] ?? '']));
        advance(positions, sweep);
      }
    },
  };
}

/** The submission of each task. */
export function taskSubmissions(base: Submission, tasks: Tasks): SubmissionList {
  return {
    length: tasks.length,
    *[Symbol.iterator]() {
      for (const { index, for: values, command = base.command } of tasks) {
        // Much faster than to assemble the job from two objects.
        const copy = { ...base };
        const own: { -readonly [Key in keyof Submission]: Submission[Key] } = copy;
        own.index = index;
        if (values !== undefined) own.for = values;
        own.command = command;
        yield own;
      }
    },
  };
}

function advance(positions: number[], sweep: readonly SweepVariable[]): void {
  for (let at = positions.length - 1; at >= 0; at -= 1) {
    const next = (positions[at] ?? 0) + 1;
    positions[at] = next === sweep[at]?.values.length ? 0 : next;
    if (positions[at] !== 0) return;
  }
}
