import { resolve } from 'node:path';
import { changeCrontab } from '../../../cron/crontab.ts';
import { ownLines, replaceLines } from '../../../cron/lines.ts';
import { refuseUntrusted } from '../../../feeder/trust.ts';
import { openQueue } from '../../../queue/open.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { quoteWord } from '../../parse/shell-words.ts';
import { cronLines, isOwnLine } from './cron-call.ts';
import { sleepSeconds } from './feeder-call.ts';

/** What became of the crontab. */
export interface CrontabReport {
  readonly queue: string;
  readonly crontab: 'added' | 'replaced' | 'removed' | 'unchanged';
  /** Those that are there now, or that were removed. */
  readonly lines: readonly string[];
}

/** The lines for a queue from which a feeder would feed; throws NO_QUEUE, QUEUE_UNSAFE, USAGE where it would not. */
export async function wantedLines(call: CommandCall): Promise<string[]> {
  const queue = await openQueue(call.queue, { lockTimeoutMs: 0 });
  queue.close();
  sleepSeconds(call);
  refuseUntrusted(queue.directory, call.options.flag('trust-group'));
  return cronLines(call);
}

/** Writes the lines into the crontab, in the place of earlier ones of the queue. */
export async function addLines(call: CommandCall): Promise<CrontabReport> {
  const lines = await wantedLines(call);
  const queue = resolve(call.queue);
  const isOwn = isOwnLine(call);
  const { before, isChanged } = await changeCrontab({
    change: (crontab) => replaceLines(crontab, isOwn, lines),
    attempt: `cannot add the feeder of ${queue} to the crontab`,
    instead: `install cron, or run at each boot: rq ${quoteWord(queue)} start --quiet`,
  });
  const change = ownLines(before, isOwn).length > 0 ? 'replaced' : 'added';
  return { queue, crontab: isChanged ? change : 'unchanged', lines };
}

/** Removes the lines from the crontab, also those of a queue that is gone. */
export async function removeLines(call: CommandCall): Promise<CrontabReport> {
  const queue = resolve(call.queue);
  const isOwn = isOwnLine(call);
  const { before, isChanged } = await changeCrontab({
    change: (crontab) => replaceLines(crontab, isOwn, []),
    attempt: `cannot remove the feeder of ${queue} from the crontab`,
    instead: `there is nothing to remove; to end a feeder: rq ${quoteWord(queue)} shutdown`,
  });
  if (!isChanged) call.diagnostics.info(`there was no line of rq for ${queue} in the crontab`);
  return { queue, crontab: isChanged ? 'removed' : 'unchanged', lines: ownLines(before, isOwn) };
}
