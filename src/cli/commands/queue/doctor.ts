import { examineQueue } from '../../../doctor/doctor.ts';
import { type Check, worstLevel } from '../../../doctor/finding.ts';
import { RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { mountOf } from '../../../queue/mount.ts';
import { EXIT } from '../../output/exit-status.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';
import { version } from '../../version.ts';
import { cronFacts } from '../hosts/cron-facts.ts';

export const spec: CommandSpec = {
  name: 'doctor',
  summary: 'diagnose problems with the queue and this host',
  options: [
    {
      name: 'with',
      type: 'text',
      value: 'HOST,…',
      help: 'Compare this host with the feeders on these hosts instead of all feeders.',
    },
    {
      name: 'full',
      type: 'flag',
      help: 'Also compare the indexes of the database with its tables. Writers wait during the check.',
    },
  ],
  report: ['queue', 'host', 'version', 'mount', 'verdict', 'checks', 'findings'],
  description: [
    'Checks the mount, locks, clocks, free space, inodes, directories, permissions, the lease and the database on this host. ' +
      'Also checks for files without a job, jobs without files, leftovers of killed processes, and silent or lost nodes. ' +
      'Compares the versions, mounts, users and clocks of this host with those that feeders on other hosts report. ' +
      'Also checks the runtime directory and the crontab.',
    'Prints the result of each check, which is "ok", "note" (works, with a remark), "not checked" or "problem". ' +
      'For each finding, "doctor" prints what it found, why it matters and what to do. ' +
      'The exit status is 1 if any result is "problem".',
    '"doctor" does not change the queue, and removes its temporary files. ' +
      'On a read-only queue, or on a mount without locks, "doctor" skips some checks and reports them as "not checked".',
  ],
  examples: [
    ['rq q doctor', 'check the queue and this host'],
    [
      'rq q doctor --with node1,node2',
      'also check that node1 and node2 run feeders, and compare only them with this host',
    ],
    ['rq q doctor --full --fields verdict', 'check the whole database, and print only the verdict'],
    ['ssh node7 rq q doctor', 'run the checks on another host'],
  ],
};

/** Checks a queue and this host, and prints the findings. The exit status is 1 if there is a problem. */
export async function run(call: CommandCall): Promise<number | undefined> {
  const named = hostsOf(call.options.text('with'));
  return await useQueue(call, async (queue) => {
    const checks = await examineQueue(queue, {
      version,
      program: [process.execPath, process.argv[1] ?? ''],
      isFull: call.options.flag('full'),
      named,
      crontab: () => cronFacts(call),
      say: (line) => call.diagnostics.info(line),
    });
    const worst = worstLevel(checks.flatMap(({ findings }) => findings));
    await printReport(call, {
      queue: queue.directory,
      host: hostName(),
      version,
      mount: mountOf(queue.directory).type,
      verdict: worst,
      checks: Object.fromEntries(checks.map(({ name, findings }) => [name, worstLevel(findings)])),
      findings: checks.flatMap(findingsToPrint),
    });
    return worst === 'problem' ? EXIT.failed : undefined;
  });
}

function findingsToPrint({ name, findings }: Check): Record<string, unknown>[] {
  return findings.map(({ level, found, why, advice }) => ({ check: name, level, found, why, advice }));
}

function hostsOf(text: string | undefined): string[] | undefined {
  const hosts = text?.split(',');
  if (hosts?.includes('') !== true) return hosts;
  throw new RqError(
    'USAGE',
    `cannot use --with "${text}": a host name is empty; separate host names with single commas`,
  );
}
