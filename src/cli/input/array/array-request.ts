import { RqError } from '../../../job/errors.ts';
import type { ArrayLimits } from '../../../job/job.ts';
import { MAX_ENV_BYTES, MAX_JOBS } from '../../../job/limits.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { listPath } from '../entries.ts';
import type { JobScript } from '../script/job-script.ts';
import { parseIndexes } from './index-list.ts';
import { readSweep, type SweepVariable, sweepStdinUses } from './sweep-values.ts';
import { refuseLongCommands, taskCommand } from './task-command.ts';
import { combinationsOf, indexedTasks, sweepTasks, type Tasks } from './tasks.ts';

/** An array or a sweep to submit. */
export interface ArrayRequest {
  readonly limits: ArrayLimits;
  readonly tasks: Tasks;
}

/**
 * Reads the array or the sweep of a call; undefined if it is neither. `template` is the command line with the names of
 * values in it. Throws USAGE or INVALID_INPUT.
 */
export async function readArray(
  call: CommandCall,
  script: JobScript | undefined,
  template: string,
): Promise<ArrayRequest | undefined> {
  const text = call.options.text('array');
  if (text === undefined) return isSweep(call) ? await readSweepRequest(call, script, template) : undefined;
  const { indexes, atMost } = parseIndexes(text, `cannot ${call.command}`);
  return { limits: limitsOf(call, atMost), tasks: indexedTasks(indexes) };
}

/** Whether the values of a sweep are on stdin. */
export function readsStdinValues(call: CommandCall): boolean {
  return sweepStdinUses(call) > 0;
}

/** Throws USAGE for options of arrays that do not fit the call. Reads no input. */
export function refuseUnfitArrayOptions(call: CommandCall): void {
  const { options } = call;
  const array = options.text('array');
  const kind = array === undefined ? (isSweep(call) ? '--for' : undefined) : '--array';
  if (kind === undefined) {
    const limit = ['at-most', 'max-fails'].find((name) => options.number(name) !== undefined);
    if (limit !== undefined) throw usage(call, `--${limit} requires --array or --for`);
    return;
  }
  if (array !== undefined && isSweep(call)) {
    throw usage(call, 'give either --array or --for: each task of a sweep has an index as well');
  }
  if (listPath(call) !== undefined) {
    throw usage(call, `${kind} applies to one command line or script, not to a list of jobs; give a command line`);
  }
  refuseSharedStdin(call);
}

function refuseSharedStdin(call: CommandCall): void {
  const uses = sweepStdinUses(call);
  if (uses === 0) return;
  if (uses > 1) throw usage(call, 'stdin can contain the values of only one name; use NAME=@FILE for the others');
  const other = ['script', 'stdin'].find((name) => call.options.text(name) === '-');
  if (other !== undefined) {
    throw usage(call, `stdin cannot contain both the values of --for and --${other}; use a file for one of them`);
  }
}

async function readSweepRequest(
  call: CommandCall,
  script: JobScript | undefined,
  template: string,
): Promise<ArrayRequest> {
  const sweep = await readSweep(call);
  refuseLargeSweep(call, sweep);
  const command = taskCommand(call, script, sweep);
  if (command !== undefined) {
    const lengths = sweep.map(({ values }) => longestOf(values));
    refuseLongCommands(call, template, combinationsOf(sweep), { longest: Math.max(...lengths), of: command });
  }
  return { limits: limitsOf(call, undefined), tasks: sweepTasks(sweep, command) };
}

function refuseLargeSweep(call: CommandCall, sweep: readonly SweepVariable[]): void {
  const count = combinationsOf(sweep).length;
  if (count > MAX_JOBS) {
    throw usage(call, `the sweep has ${count} combinations; a queue can contain at most ${MAX_JOBS} jobs`);
  }
  // The task with the longest values exists.
  const bytes = sweep.reduce((sum, { name, values }) => {
    return sum + `"${name}":,`.length + longestOf(values.map((value) => JSON.stringify(value)));
  }, 1);
  if (bytes > MAX_ENV_BYTES) {
    throw usage(call, `the values of one task have up to ${bytes} bytes as JSON; the limit is ${MAX_ENV_BYTES}`);
  }
}

/** The length of the longest text in bytes. */
function longestOf(texts: readonly string[]): number {
  return texts.reduce((longest, text) => Math.max(longest, Buffer.byteLength(text)), 0);
}

function limitsOf(call: CommandCall, inArray: number | undefined): ArrayLimits {
  const option = call.options.number('at-most');
  if (option !== undefined && inArray !== undefined) {
    throw usage(
      call,
      `--at-most ${option} and %${inArray} in --array are two limits of the same kind; give one of them`,
    );
  }
  return { atMost: option ?? inArray ?? null, maxFails: call.options.number('max-fails') ?? null };
}

function isSweep({ options }: CommandCall): boolean {
  return options.list('for').length > 0;
}

function usage({ command }: CommandCall, fault: string): RqError {
  return new RqError('USAGE', `cannot ${command}: ${fault}`);
}
