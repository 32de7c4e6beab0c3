import { existsSync } from 'node:fs';
import { readCrontab } from '../../../cron/crontab.ts';
import { ownLines } from '../../../cron/lines.ts';
import type { CronFacts } from '../../../doctor/cron.ts';
import { RqError } from '../../../job/errors.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { splitWords } from '../../parse/shell-words.ts';
import { isOwnLine } from './cron-call.ts';

/** What this user's crontab has for the queue of a call. */
export async function cronFacts(call: CommandCall): Promise<CronFacts> {
  try {
    const crontab = await readCrontab({ attempt: 'cannot read it', instead: 'install cron' });
    const lines = ownLines(crontab, isOwnLine(call));
    const programs = new Set(lines.flatMap(programsOf));
    return { lines, missing: [...programs].filter((path) => !existsSync(path)) };
  } catch (error) {
    if (!(error instanceof RqError)) throw error;
    return { lines: undefined, trouble: error.message, missing: [] };
  }
}

/** Tells who ends a feeder that cron will start it again. */
export async function tellOfCron(call: CommandCall): Promise<void> {
  const { lines } = await cronFacts(call);
  if (lines === undefined || lines.length === 0) return;
  call.diagnostics.info(
    `cron starts a feeder of ${call.queue} here again; end that with: rq ${call.queue} cron delete`,
  );
}

/** The programs that a line of rq's runs: Node, and rq by it. */
function programsOf(line: string): string[] {
  const command = line.replace(/^(?:@\S+|(?:\S+[ \t]+){4}\S+)[ \t]+/, '');
  const words = splitWords(command, 'the crontab').map((word) => word.replaceAll('\\%', '%'));
  const start = words.findIndex((word) => word !== '/usr/bin/env' && !/^\w+=/.test(word));
  return words.slice(start, start + 2).filter((word) => word.startsWith('/'));
}
