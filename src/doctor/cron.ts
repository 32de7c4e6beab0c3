import { type Finding, note, problem } from './finding.ts';

/** What the crontab has for a queue. */
export interface CronFacts {
  /** The queue's own lines; undefined where the crontab could not be read. */
  readonly lines: readonly string[] | undefined;
  /** Why it could not be read. */
  readonly trouble?: string;
  /** Programs that the lines run and that are not there. */
  readonly missing: readonly string[];
}

/** What the lines of a crontab mean for a host that has a feeder, or has none. */
export function judgeCron(
  { lines, trouble, missing }: CronFacts,
  { hasFeeder, queueDirectory }: { readonly hasFeeder: boolean; readonly queueDirectory: string },
): Finding[] {
  const add = `run: rq ${queueDirectory} cron add`;
  const lonely = 'after a crash or a reboot nothing starts the feeder of this host again';
  if (lines === undefined) {
    const instead = 'have something else start it at each boot';
    return hasFeeder ? [note(trouble ?? 'cannot read the crontab', lonely, instead)] : [];
  }
  if (missing.length > 0) {
    return [problem(`the crontab runs ${missing.join(' and ')}, which is not there`, lonely, add)];
  }
  if (lines.length === 0) return hasFeeder ? [note('the crontab has no line for this queue', lonely, add)] : [];
  if (hasFeeder) return [];
  return [
    note(
      'no feeder runs here, though the crontab has a line for it',
      'cron starts it every 15 minutes, and it ended since, or does not start',
      `see why: rq ${queueDirectory} start; or, if it is not meant to run: rq ${queueDirectory} cron delete`,
    ),
  ];
}
