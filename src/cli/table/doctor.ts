import type { CommandSpec } from '../parse/command-spec.ts';

/** The command that finds out what is wrong. */
export const DOCTOR_COMMAND: CommandSpec = {
  name: 'doctor',
  short: [],
  summary: 'check what rq needs, and say what is wrong',
  positionals: '',
  maxPositionals: 0,
  queue: 'named',
  options: [
    {
      name: 'with',
      type: 'text',
      value: 'HOST,…',
      help: 'Compare this host with what the feeders of these report (default: of all that feed).',
    },
    {
      name: 'full',
      type: 'flag',
      help: 'Compare the indexes of the database with its tables, too. Writers wait while a database is checked.',
    },
  ],
  report: ['queue', 'host', 'version', 'mount', 'verdict', 'checks', 'findings'],
  description: [
    'Checks, from this host: the mount and its options; whether locks, mkdir, O_EXCL and rename do what they should; ' +
      "the clock against the file server's; space and inodes; folders, permissions; the lease; the database (a quick " +
      'check, which reads all of it), its journal; files without jobs and jobs without files; leftovers of what was ' +
      'killed; nodes that are silent, and jobs that run there; versions of rq, mounts, users and clocks of other ' +
      'hosts, as their feeders told when they started; the runtime directory; the crontab.',
    'Prints for each check ok, note (it works), not checked (it could not be told) or problem; and of each finding what ' +
      'was found, why that matters, and what to do. Ends with status 1 if there is a problem.',
    'Changes nothing: what it makes to try things out it removes again. Of a queue that may only be read, or that is on ' +
      'a mount without locks, it says what it did not check.',
  ],
  examples: [
    { type: 'rq q doctor', does: 'is all well, seen from here?' },
    { type: 'rq q doctor --with node1,node2', does: 'and do these feed, alike?' },
    { type: 'rq q doctor --full --fields verdict', does: 'one word, after all of the database was read' },
    { type: 'ssh node7 rq q doctor', does: 'as another host sees it' },
  ],
  load: () => import('../commands/queue/doctor.ts'),
};
