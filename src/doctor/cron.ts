import { type Finding, list, note, problem } from './finding.ts';

/** The lines of a queue in the crontab. */
export interface CronFacts {
  /** Undefined if the crontab cannot be read. */
  readonly lines: readonly string[] | undefined;
  /** Why it cannot be read. */
  readonly trouble?: string;
  /** Programs that the lines run and that do not exist. */
  readonly missing: readonly string[];
}

/** Checks that the crontab starts a feeder again if this host has one, and only then. */
export function cronFindings(
  { lines, trouble, missing }: CronFacts,
  { hasFeeder, queueDirectory }: { readonly hasFeeder: boolean; readonly queueDirectory: string },
): Finding[] {
  const add = `run: rq ${queueDirectory} cron add`;
  const noRestart = 'nothing restarts the feeder of this host after a crash or a reboot';
  if (lines === undefined) {
    const advice = 'start the feeder at each boot by other means, for example with systemd';
    return list(hasFeeder && note(trouble ?? 'cannot read the crontab', noRestart, advice));
  }
  if (missing.length > 0) {
    return [problem(`the crontab runs ${missing.join(' and ')}, which does not exist`, noRestart, add)];
  }
  if (lines.length === 0) return list(hasFeeder && note('the crontab has no line for this queue', noRestart, add));
  return list(
    !hasFeeder &&
      note(
        'no feeder is running on this host, although the crontab has a line that starts one',
        'cron tries to start a feeder every 15 minutes; the feeder cannot start, or has ended since the last try',
        `run rq ${queueDirectory} start to see the error, or rq ${queueDirectory} cron delete to remove the line`,
      ),
  );
}
