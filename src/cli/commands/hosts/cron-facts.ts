import { existsSync } from 'node:fs';
import { readCrontab } from '../../../cron/crontab.ts';
import { ownLines } from '../../../cron/lines.ts';
import type { CronFacts } from '../../../doctor/cron.ts';
import { RqError } from '../../../job/errors.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { splitWords } from '../../parse/shell-words.ts';
import { isOwnLine } from './cron-lines.ts';

/** Reads this user's crontab for lines of the queue. */
export async function cronFacts(call: CommandCall): Promise<CronFacts> {
  try {
    const crontab = await readCrontab({ action: 'cannot read the crontab', instead: 'install cron' });
    const lines = ownLines(crontab, isOwnLine(call));
    const programs = new Set(lines.flatMap(programsOf));
    return { lines, missing: [...programs].filter((path) => !existsSync(path)) };
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return { lines: undefined, trouble: error.message, missing: [] };
  }
}

/** Reports that cron will start an ended feeder again, if it will. */
export async function reportCronRestart(call: CommandCall): Promise<void> {
  const { lines } = await cronFacts(call);
  if (lines === undefined || lines.length === 0) return;
  call.diagnostics.info(
    `cron will start the feeder of ${call.queue} again; to prevent this, run: rq ${call.queue} cron delete`,
  );
}

/** The programs that a line runs: Node and rq. */
function programsOf(line: string): string[] {
  const command = line.replace(/^(?:@\S+|(?:\S+[ \t]+){4}\S+)[ \t]+/, '');
  const words = splitWords(command, 'the crontab').map((word) => word.replaceAll('\\%', '%'));
  const start = words.findIndex((word) => word !== '/usr/bin/env' && !/^\w+=/.test(word));
  return words.slice(start, start + 2).filter((word) => word.startsWith('/'));
}
