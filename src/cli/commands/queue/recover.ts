import { RqError } from '../../../job/errors.ts';
import { breakLocks } from '../../../queue/recovery/break-locks.ts';
import { recoverQueue } from '../../../queue/recovery/recover.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'recover',
  summary: 'check a queue and repair it',
  options: [
    {
      name: 'break-locks',
      type: 'flag',
      help: 'Remove the locks of a dead host (NFS version 3) by replacing the database with a copy of it.',
    },
    { name: 'yes', type: 'flag', help: 'Confirm that the host is dead. A transaction of a live host would be lost.' },
  ],
  report: ['database', 'damage', 'saved', 'lost', 'doubtful', 'kept', 'locks', 'journal', 'whole'],
  description: [
    'Checks the whole database. If it is intact, nothing changes. Otherwise every row that can be read is ' +
      'copied into a new database with new indexes, which replaces the damaged one. The damaged ' +
      'file is kept beside it. Running jobs continue. The queue may be in use; other commands wait.',
    'Rows are read with SQL. Where the program sqlite3 is installed and has ".recover", rows that SQL cannot reach are ' +
      'read with it. --lock-timeout limits the run time of sqlite3.',
    'Prints what was damaged (none, indexes, structure or rows), the number of saved jobs, the jids of lost jobs, the ' +
      'jids of doubtful jobs, and the path of the damaged file. The row of a doubtful job can be read, but its contents ' +
      'are invalid, so it is not saved. If no row can be read, nothing changes and the exit status is 1.',
    '--break-locks only performs a quick check. It copies the database, rolls back the transaction of a dead writer, and ' +
      'replaces the database with the copy.',
  ],
  examples: [
    ['rq q recover', 'check the database and repair it'],
    ['rq q recover --fields damage,saved', 'print only the damage and the number of saved jobs'],
    ['rq q recover --break-locks --yes', 'a host died while it held a lock, and will not come back'],
  ],
};

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
