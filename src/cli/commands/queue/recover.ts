import { RqError } from '../../../job/errors.ts';
import { breakLocks } from '../../../queue/recovery/break-locks.ts';
import { recoverQueue } from '../../../queue/recovery/recover.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** The highest number of jids printed in each list. */
const MAX_PRINTED = 1_000;

/** Checks and repairs the database of a queue, or breaks the locks of a dead host, and prints a report. */
export async function run(call: CommandCall): Promise<undefined> {
  if (call.options.flag('break-locks')) await breakLocksOf(call);
  else await recover(call);
}

async function recover(call: CommandCall): Promise<void> {
  const { lost, doubtful, ...recovery } = await useQueue(call, (queue) => {
    return recoverQueue(queue, (line) => call.diagnostics.info(line));
  });
  for (const [name, jids] of Object.entries({ lost, doubtful })) {
    if (jids.length > 0) call.diagnostics.warn(`${jids.length} jobs are ${name}`);
    if (jids.length > MAX_PRINTED) call.diagnostics.warn(`only the first ${MAX_PRINTED} of them are printed`);
  }
  const { database, damage, saved, kept } = recovery;
  const jids = { lost: lost.slice(0, MAX_PRINTED), doubtful: doubtful.slice(0, MAX_PRINTED) };
  await printReport(call, { database, damage, saved, ...jids, kept });
}

async function breakLocksOf(call: CommandCall): Promise<void> {
  if (!call.options.flag('yes')) {
    throw new RqError(
      'USAGE',
      `--break-locks replaces the database of ${call.queue} with a copy, so that the locks of a dead host no longer apply; a transaction of a live host would be lost; if the host is dead, add --yes`,
    );
  }
  const { database, journal, isWhole } = await useQueue(call, breakLocks);
  if (!isWhole) call.diagnostics.warn(`the database is damaged; run: rq ${call.queue} recover`);
  await printReport(call, { database, locks: 'broken', journal, whole: isWhole });
}
