import { closest } from 'fastest-levenshtein';
import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { RqError } from '../../../job/errors.ts';
import { MAX_RUNNING } from '../../../job/limits.ts';
import { laneNameFault } from '../../../job/placement/lanes.ts';
import { shownValue } from '../../../job/value-faults.ts';
import { changeLane, type LaneChange, readLanes } from '../../../queue/lanes.ts';
import { printReports } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FORM_OPTIONS } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';

const FIELDS = ['name', 'limit', 'paused', 'running', 'pending'];

export const spec: CommandSpec = {
  name: 'lane',
  summary: 'print or change the limits of lanes',
  positionals: '[LANE [KEY=VALUE…]]',
  maxPositionals: Number.POSITIVE_INFINITY,
  options: FORM_OPTIONS,
  report: FIELDS,
  description: [
    'A lane is a name that jobs get with "submit --lane". ' +
      'Its limit is the maximum number of its jobs that run at the same time in the whole cluster. ' +
      'While a lane is paused, none of its jobs start; running jobs continue. ' +
      'A job in several lanes starts only if all of them allow it.',
    'Without arguments, "lane" prints the lanes that have a limit, are paused, or contain pending or running jobs. ' +
      'With the name of a lane, it prints that lane. ' +
      'KEY=VALUE changes the lane first: limit=N, limit=null (no limit), paused=true or paused=false. ' +
      'Feeders apply a change at once. No running job ends because of a lower limit.',
  ],
  examples: [
    ['rq q lane', 'print all lanes'],
    ['rq q lane gpu limit=4', 'run at most four jobs of a lane at the same time'],
    ['rq q lane licence paused=true', 'start no jobs of a lane'],
    ['rq q lane gpu limit=null paused=false', 'remove the limit, and let the jobs of the lane start'],
  ],
};

/** Changes a lane, if the call says so, and prints it; or prints all lanes. */
export async function run(call: CommandCall): Promise<undefined> {
  const [name, ...assignments] = call.positionals;
  if (name !== undefined) checkName(name);
  const change = readChange(assignments);
  await useQueue(call, async (queue) => {
    if (name !== undefined && assignments.length > 0) {
      await changeLane(queue, name, change);
      wakeFeeder(queue.directory);
    }
    const lanes = await readLanes(queue, name);
    const isUnknown = lanes.every((lane) => lane.limit === null && !lane.paused && lane.running + lane.pending === 0);
    if (name !== undefined && assignments.length === 0 && isUnknown) {
      call.diagnostics.warn(`lane: no pending or running job is in ${name}, and it has no limit`);
    }
    await printReports(call, lanes, FIELDS);
  });
}

function checkName(name: string): void {
  if (name.includes('=')) {
    throw new RqError('USAGE', `cannot change a lane: give its name before ${name}, as in lane gpu ${name}`);
  }
  const fault = laneNameFault(name);
  if (fault !== undefined) throw new RqError('INVALID_INPUT', `the name of a lane ${fault}, not ${shownValue(name)}`);
}

function readChange(assignments: readonly string[]): LaneChange {
  const change: { limit?: number | null; paused?: boolean } = {};
  for (const word of assignments) {
    const [, key = word, text = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (key !== 'limit' && key !== 'paused') throw unknownKey(key);
    if (!word.includes('=')) throw new RqError('USAGE', `cannot change the lane: give a value, as in ${EXAMPLES[key]}`);
    if (Object.hasOwn(change, key)) throw new RqError('USAGE', `cannot change the lane: ${key} is specified twice`);
    if (key === 'limit') change.limit = readLimit(text);
    else change.paused = readPaused(text);
  }
  return change;
}

const EXAMPLES = { limit: 'limit=4', paused: 'paused=true' } as const;

function unknownKey(key: string): RqError {
  const nearest = closest(key, Object.keys(EXAMPLES));
  return new RqError(
    'USAGE',
    `cannot change ${shownValue(key)} of a lane; did you mean ${nearest}? You can change limit and paused, as in lane gpu limit=4`,
  );
}

function readLimit(text: string): number | null {
  if (text === 'null') return null;
  const limit = Number(text);
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MAX_RUNNING) return limit;
  throw new RqError(
    'INVALID_INPUT',
    `cannot change the lane: limit must be a whole number from 1 to ${MAX_RUNNING}, or null, not ${shownValue(text)}; paused=true keeps all jobs from starting`,
  );
}

function readPaused(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new RqError('INVALID_INPUT', `cannot change the lane: paused must be true or false, not ${shownValue(text)}`);
}
