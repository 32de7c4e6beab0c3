import type { CommandSpec } from '../parse/command-spec.ts';

/** The command that repairs a queue. */
export const RECOVER_COMMAND: CommandSpec = {
  name: 'recover',
  short: [],
  summary: 'check a queue and repair it',
  positionals: '',
  maxPositionals: 0,
  queue: 'named',
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
    'Checks the whole database. If it is intact, nothing changes. If only indexes are damaged, they are rebuilt. ' +
      'Otherwise every row that can be read is copied into a new database, which replaces the damaged one. The damaged ' +
      'file is kept beside it. Running jobs continue. The queue may be in use; other commands wait.',
    'Rows are read with SQL. Where the program sqlite3 is installed and has ".recover", rows that SQL cannot reach are ' +
      'read with it. --lock-timeout limits the time that sqlite3 gets.',
    'Prints what was damaged (none, indexes, structure or rows), the number of saved jobs, the jids of lost jobs, the ' +
      'jids of doubtful jobs, and the path of the damaged file. The row of a doubtful job can be read, but its contents ' +
      'are invalid, so it is not saved. If no row can be read, nothing changes and the exit status is 1.',
    '--break-locks only makes a quick check. It copies the database, rolls back the transaction of a dead writer, and ' +
      'replaces the database with the copy.',
  ],
  examples: [
    { type: 'rq q recover', does: 'check the database and repair it' },
    { type: 'rq q recover --fields damage,saved', does: 'print only the damage and the number of saved jobs' },
    { type: 'rq q recover --break-locks --yes', does: 'a host died while it held a lock, and will not come back' },
  ],
  load: () => import('../commands/queue/recover.ts'),
};
