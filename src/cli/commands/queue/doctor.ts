import { examineQueue } from '../../../doctor/doctor.ts';
import { type Check, verdict } from '../../../doctor/finding.ts';
import { RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { mountOf } from '../../../queue/mount.ts';
import { EXIT } from '../../output/exit-status.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';
import { version } from '../../version.ts';
import { cronFacts } from '../hosts/cron-facts.ts';

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
    const worst = verdict(checks.flatMap(({ findings }) => findings));
    await printReport(call, {
      queue: queue.directory,
      host: hostName(),
      version,
      mount: mountOf(queue.directory).type,
      verdict: worst,
      checks: Object.fromEntries(checks.map(({ name, findings }) => [name, verdict(findings)])),
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
  throw new RqError('USAGE', `--with "${text}": an empty host name; separate host names with single commas`);
}
