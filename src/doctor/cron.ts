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
  const noRestart = 'after a crash or a reboot, nothing starts the feeder of this host again';
  if (lines === undefined) {
    const advice = 'start the feeder at each boot by other means, for example systemd';
    return list(hasFeeder && note(trouble ?? 'cannot read the crontab', noRestart, advice));
  }
  if (missing.length > 0) {
    return [problem(`the crontab runs ${missing.join(' and ')}, which does not exist`, noRestart, add)];
  }
  if (lines.length === 0) return list(hasFeeder && note('the crontab has no line for this queue', noRestart, add));
  return list(
    !hasFeeder &&
      note(
        'no feeder is running on this host, although the crontab has a line for it',
        'cron starts a feeder every 15 minutes; the last feeder has ended since then, or cannot start',
        `to see the error: rq ${queueDirectory} start; to remove the line: rq ${queueDirectory} cron delete`,
      ),
  );
}
