import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { RqError } from '../../../job/errors.ts';
import { isHostName } from '../../../job/host.ts';
import { type ControlResult, killJobs } from '../../../queue/control/control-jobs.ts';
import { drainHosts, drainReports, undrainHosts, waitForReleases } from '../../../queue/nodes/drain.ts';
import { silentHosts } from '../../../queue/nodes/silent-hosts.ts';
import type { Queue } from '../../../queue/open.ts';
import { JidSet } from '../../../queue/wait/jid-set.ts';
import { reasonOption } from '../../input/reason-option.ts';
import { reportControlled } from '../../output/controlled-jobs.ts';
import { printReports } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { FORM_OPTIONS } from '../../parse/shared-options.ts';
import { useQueue } from '../../use-queue.ts';
import { awaitJobs, changesOf } from '../waiting/await-jobs.ts';

/** Longer than the default of the setting max_sleep, and an exchange. */
const RELEASE_MS = 15_000;
const FIELDS = ['host', 'drained', 'drained_by', 'reason', 'running'];

const shared = {
  report: FIELDS,
  positionals: 'HOST…',
  minPositionals: 1,
  maxPositionals: Number.POSITIVE_INFINITY,
} as const;

const drain: CommandSpec = {
  ...shared,
  name: 'drain',
  summary: 'keep hosts from starting jobs',
  options: [
    { name: 'reason', type: 'text', value: 'TEXT', help: 'Why the hosts are drained. "nodes" shows it.' },
    { name: 'kill', type: 'flag', help: 'Also end the jobs that run there, and wait until they have ended.' },
    ...FORM_OPTIONS,
  ],
  description: [
    'Drains hosts, from any host, and prints them. ' +
      'A drained host claims no jobs, and releases the jobs that it has claimed and not begun. ' +
      'Its running jobs continue. ' +
      'A host stays drained until "undrain", also if its feeder or the host restarts. ' +
      'Its feeder takes notice at its next poll.',
    'With --kill, rq also ends all jobs of the hosts, as "kill" does: rq never restarts them by itself. ' +
      'Their reason begins with "killed by", and contains "drain of HOST". "resubmit" requeues them.',
    'HOST is the full name of the host, or its short name if no other node has the same short name.',
  ],
  examples: [
    ["rq q drain n4 --reason 'new disk'", 'let a host finish its jobs, and start no others there'],
    ['rq q drain n4 n5 --kill', 'end the jobs of two hosts at once'],
  ],
};

const undrain: CommandSpec = {
  ...shared,
  name: 'undrain',
  summary: 'let drained hosts start jobs again',
  options: FORM_OPTIONS,
  description: [
    'Reverses "drain", from any host, and prints the hosts. ' +
      'If a host is not drained, rq says so and does nothing for it.',
  ],
  examples: [
    ['rq q undrain n4', 'let a host start jobs again'],
    ['rq q undrain n4 n5', 'let two hosts start jobs again'],
  ],
};

export const specs: readonly CommandSpec[] = [drain, undrain];

/** Drains hosts, or reverses that, and prints them. */
export async function run(call: CommandCall): Promise<undefined> {
  const invalid = call.positionals.find((name) => !isHostName(name));
  if (invalid !== undefined) {
    throw new RqError(
      'INVALID_INPUT',
      `cannot ${call.command} ${JSON.stringify(invalid)}: the name of a host contains only letters, digits, ".", "-" and "_"; see: rq ${call.queue} nodes`,
    );
  }
  await useQueue(call, async (queue) => {
    const hosts = call.command === drain.name ? await drainAll(call, queue) : await undrainAll(call, queue);
    await printReports(call, await drainReports(queue, hosts), FIELDS);
  });
}

async function drainAll(call: CommandCall, queue: Queue): Promise<string[]> {
  const reason = reasonOption(call);
  const hosts = await drainHosts(queue, call.positionals, reason);
  wakeFeeder(queue.directory);
  for (const { host, since } of silentHosts(queue, hosts)) {
    if (since !== null) continue;
    call.diagnostics.warn(`drain: no feeder runs on ${host}; it is drained when it starts to feed; check the name`);
  }
  if (call.options.flag('kill')) await killOn(call, queue, { hosts, reason });
  return hosts;
}

async function undrainAll(call: CommandCall, queue: Queue): Promise<string[]> {
  const { hosts, unchanged } = await undrainHosts(queue, call.positionals);
  wakeFeeder(queue.directory);
  for (const host of unchanged) call.diagnostics.warn(`undrain: ${host} is not drained; nothing was changed for it`);
  return hosts;
}

/**
 * Ends the jobs of all hosts at the same time, and waits for that. Jobs that the hosts have not begun can run elsewhere, so
 * they are released first.
 */
async function killOn(
  call: CommandCall,
  queue: Queue,
  { hosts, reason }: { readonly hosts: readonly string[]; readonly reason: string | null },
): Promise<void> {
  const results: ControlResult[] = [];
  const deadlineMs = queue.clock.monotonicMs() + RELEASE_MS;
  await waitForReleases(queue, hosts, await changesOf(call, queue), deadlineMs);
  for (const host of hosts) {
    const selection = {
      all: false,
      ranges: [],
      states: ['running'],
      pairs: [{ field: 'runner', value: host }],
    } as const;
    const why = `drain of ${host}${reason === null ? '' : `: ${reason}`}`;
    results.push(await killJobs(queue, selection, { reason: why, grace: undefined }));
  }
  wakeFeeder(queue.directory);
  for (const result of results.filter(({ count }) => count > 0)) {
    reportControlled(call, queue, result, 'running');
    await awaitJobs(call, queue, new JidSet(result.changed), { print: false, needsNoFeeder: true });
  }
}
