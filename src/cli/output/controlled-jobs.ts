import type { Selection } from '../../job/selection.ts';
import type { ControlResult } from '../../queue/control/control-jobs.ts';
import { selectJobs } from '../../queue/jobs/select.ts';
import { silentHosts } from '../../queue/nodes/silent-hosts.ts';
import type { Queue } from '../../queue/open.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { noJob } from './no-job.ts';
import { printAfter, printJobs } from './print.ts';
import { refusedJobs } from './refused-jobs.ts';

/**
 * Prints the jobs to which a command applied. Throws JOB_RUNNING if the states of some jobs prevented it, NO_JOB if no job
 * was selected; \`states\` names the states to which the command applies.
 */
export async function printControlled(
  call: CommandCall,
  queue: Queue,
  result: ControlResult,
  states: string,
): Promise<void> {
  const { changed, count } = result;
  reportControlled(call, queue, result, states);
  if (!call.options.flag('quiet')) {
    const selection: Selection = { all: false, ranges: changed, states: [], pairs: [] };
    const jobs = count === 0 ? [] : selectJobs(queue, selection);
    await printAfter(`changed ${count} jobs`, () => printJobs(call, jobs));
  }
}

/** Says what prevents the command. Throws as `printControlled`. */
export function reportControlled(
  call: CommandCall,
  queue: Queue,
  { count, skipped, running, refused }: ControlResult,
  states: string,
): void {
  if (refused.size > 0) throw refusedJobs(call, refused, 'nothing was changed; ');
  warnOfSilentHosts(call, queue, running);
  if (count > 0) return;
  if (skipped === 0) throw noJob(call, queue.directory, states);
  call.diagnostics.info(`${call.command}: all selected jobs have already ended`);
}

/** Says which hosts cannot carry out the command at the moment. `running` counts its jobs by host. */
function warnOfSilentHosts(
  { command, diagnostics }: CommandCall,
  queue: Queue,
  running: ReadonlyMap<string, number>,
): void {
  if (running.size === 0) return;
  for (const { host, since } of silentHosts(queue, running.keys())) {
    const count = running.get(host) ?? 0;
    const jobs = count === 1 ? '1 job is' : `${count} jobs are`;
    const fault = since === null ? 'no feeder runs there' : `it has sent no heartbeat since ${since}`;
    diagnostics.warn(`${command}: ${jobs} on ${host}, but ${fault}; the command takes effect when ${host} feeds again`);
  }
}
