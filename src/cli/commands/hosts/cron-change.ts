import { resolve } from 'node:path';
import { changeCrontab } from '../../../cron/crontab.ts';
import { ownLines, replaceLines } from '../../../cron/lines.ts';
import { refuseUntrusted } from '../../../feeder/trust.ts';
import { openQueue } from '../../../queue/open.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { quoteWord } from '../../parse/shell-words.ts';
import { cronLines, isOwnLine } from './cron-lines.ts';
import { sleepSeconds } from './feeder-call.ts';
import { resourceOptions } from './resource-options.ts';

/** The result of a change to the crontab. */
export interface CrontabReport {
  readonly queue: string;
  readonly crontab: 'added' | 'replaced' | 'removed' | 'unchanged';
  /** The current lines of the queue, or the removed ones. */
  readonly lines: readonly string[];
}

/** Makes the lines of a queue. Throws NO_QUEUE, QUEUE_UNSAFE or USAGE if a feeder would refuse to feed from it. */
export async function makeLines(call: CommandCall): Promise<string[]> {
  const queue = await openQueue(call.queue, { lockTimeoutMs: 0 });
  queue.close();
  sleepSeconds(call);
  resourceOptions(call);
  refuseUntrusted(queue.directory, call.options.flag('trust-group'));
  return cronLines(call);
}

/** Adds the lines of the queue to the crontab, or replaces them. */
export async function addLines(call: CommandCall): Promise<CrontabReport> {
  const lines = await makeLines(call);
  const queue = resolve(call.queue);
  const isOwn = isOwnLine(call);
  const { before, isChanged } = await changeCrontab({
    change: (crontab) => replaceLines(crontab, isOwn, lines),
    action: `cannot add the feeder of ${queue} to the crontab`,
    instead: `install cron, or run at each boot: rq ${quoteWord(queue)} start --quiet`,
  });
  const change = ownLines(before, isOwn).length > 0 ? 'replaced' : 'added';
  return { queue, crontab: isChanged ? change : 'unchanged', lines };
}

/** Removes the lines of the queue from the crontab, even if the queue no longer exists. */
export async function removeLines(call: CommandCall): Promise<CrontabReport> {
  const queue = resolve(call.queue);
  const isOwn = isOwnLine(call);
  const { before, isChanged } = await changeCrontab({
    change: (crontab) => replaceLines(crontab, isOwn, []),
    action: `cannot remove the feeder of ${queue} from the crontab`,
    instead: `nothing needs to be removed; to end a feeder, run: rq ${quoteWord(queue)} shutdown`,
  });
  if (!isChanged) call.diagnostics.info(`the crontab has no lines for ${queue}`);
  return { queue, crontab: isChanged ? 'removed' : 'unchanged', lines: ownLines(before, isOwn) };
}
