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
      help: 'Free the database of the locks of a host that is dead (NFS version 3), by giving it a new inode.',
    },
    { name: 'yes', type: 'flag', help: 'Yes, the host is dead: one that is alive would be cut off.' },
  ],
  report: ['database', 'damage', 'saved', 'lost', 'doubtful', 'kept', 'locks', 'journal', 'whole'],
  description: [
    'Checks the database, all of it, and changes nothing if it is whole. Where indexes lack entries they are made ' +
      'anew. Where there is worse, every row that can be read and is beyond doubt is saved into a new database, which ' +
      'takes the place of the damaged one; that is kept beside it. Jobs that run go on. A queue may be in use meanwhile: ' +
      'it waits.',
    'Prints what was damaged (none, indexes, structure or rows), how many jobs are saved, the jids that are lost, ' +
      'those of rows that may be wrong and are therefore not saved, and the path of the damaged file. Ends with status 1 ' +
      'if nothing can be saved; then nothing is changed.',
    'With --break-locks nothing is checked but quickly: the database is copied, what a dead writer left is rolled ' +
      'back, and the copy takes the place of the database.',
  ],
  examples: [
    { type: 'rq q recover', does: 'check the database, and repair what is damaged' },
    { type: 'rq q recover --fields damage,saved', does: 'the same, and print only what it came to' },
    { type: 'rq q recover --break-locks --yes', does: 'a host died with the database locked, and will not come back' },
  ],
  load: () => import('../commands/queue/recover.ts'),
};
