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
      help: 'Remove the locks of a dead host (NFS 3) by replacing the database with a copy.',
    },
    {
      name: 'yes',
      type: 'flag',
      help: 'Confirm that the host is dead. If the host is still alive, its current transaction is lost.',
    },
  ],
  report: ['database', 'damage', 'saved', 'lost', 'doubtful', 'kept', 'locks', 'journal', 'whole'],
  description: [
    'Checks the whole database. If the database is intact, rq changes nothing. ' +
      'If the database is damaged, rq copies all readable rows into a new database with new indexes. ' +
      'The new database replaces the damaged database, and rq keeps the damaged file beside it. ' +
      'The new database has the schema of this version of rq (see "rq help upgrade"). ' +
      'The queue can be in use; running jobs continue, and other commands wait.',
    'rq reads the rows with SQL. ' +
      'If sqlite3 is installed and supports ".recover", rq uses sqlite3 to read the rows that SQL cannot reach. ' +
      '--lock-timeout limits the run time of sqlite3.',
    'Prints the kind of damage (none, indexes, structure or rows) and the number of saved jobs. ' +
      'Also prints the jids of lost jobs, the jids of doubtful jobs, and the path of the damaged file. ' +
      'A doubtful job has a readable row with invalid contents, and is not saved. ' +
      'If no row is readable, rq changes nothing and exits with status 1.',
    'With --break-locks, "recover" performs only a quick check. ' +
      '"recover" then copies the database, rolls back the transaction of a dead writer, and replaces the database with the copy.',
  ],
  examples: [
    ['rq q recover', 'check the database, and repair it if it is damaged'],
    ['rq q recover --fields damage,saved', 'print only the damage and the number of saved jobs'],
    ['rq q recover --break-locks --yes', 'remove the locks of a host that has died and will not come back'],
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
    if (jids.length > MAX_PRINTED) call.diagnostics.warn(`rq prints only the first ${MAX_PRINTED} ${name} jobs`);
  }
  const { database, damage, saved, kept } = recovery;
  const jids = { lost: lost.slice(0, MAX_PRINTED), doubtful: doubtful.slice(0, MAX_PRINTED) };
  await printReport(call, { database, damage, saved, ...jids, kept });
}

async function breakLocksOf(call: CommandCall): Promise<void> {
  if (!call.options.flag('yes')) {
    throw new RqError(
      'USAGE',
      `--break-locks replaces the database of ${call.queue} with a copy, which removes the locks of a dead host; ` +
        'if the host is still alive, its current transaction is lost; if the host is dead, add --yes',
    );
  }
  const { database, journal, isWhole } = await useQueue(call, breakLocks);
  if (!isWhole) call.diagnostics.warn(`the database is damaged; run: rq ${call.queue} recover`);
  await printReport(call, { database, locks: 'broken', journal, whole: isWhole });
}
