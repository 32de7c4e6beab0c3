import { RqError } from '../../../job/errors.ts';
import { breakLocks } from '../../../queue/recovery/break-locks.ts';
import { recoverQueue } from '../../../queue/recovery/recover.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { useQueue } from '../../use-queue.ts';

/** How many jids of a kind are printed; there may be millions. */
const SHOWN = 1_000;

/** Checks a queue's database, repairs it, and prints what it came to; or breaks the locks of a dead host. */
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
    if (jids.length > SHOWN) call.diagnostics.warn(`only the first ${SHOWN} of them are printed`);
  }
  const { database, damage, saved, kept } = recovery;
  const jids = { lost: lost.slice(0, SHOWN), doubtful: doubtful.slice(0, SHOWN) };
  await printReport(call, { database, damage, saved, ...jids, kept });
}

async function breakLocksOf(call: CommandCall): Promise<void> {
  if (!call.options.flag('yes')) {
    throw new RqError(
      'USAGE',
      `--break-locks puts a copy in the place of ${call.queue}'s database, so that the locks of a host that died are gone; one that is alive and in the midst of a transaction would be cut off. If it is dead, add --yes`,
    );
  }
  const { database, journal, isWhole } = await useQueue(call, breakLocks);
  if (!isWhole) call.diagnostics.warn(`the database is damaged; run: rq ${call.queue} recover`);
  await printReport(call, { database, locks: 'broken', journal, whole: isWhole });
}
