import type { CommandSpec } from '../parse/command-spec.ts';

/** The command that diagnoses a queue. */
export const DOCTOR_COMMAND: CommandSpec = {
  name: 'doctor',
  short: [],
  summary: 'find out what is wrong with a queue or its host',
  positionals: '',
  maxPositionals: 0,
  queue: 'named',
  options: [
    {
      name: 'with',
      type: 'text',
      value: 'HOST,…',
      help: 'Compare this host with the feeders of these hosts (default: with all feeders).',
    },
    {
      name: 'full',
      type: 'flag',
      help: 'Also compare the indexes of the database with its tables. Writers wait during the check.',
    },
  ],
  report: ['queue', 'host', 'version', 'mount', 'verdict', 'checks', 'findings'],
  description: [
    'Checks, on this host: the mount and its options; locks, mkdir, O_EXCL and rename; the difference between the ' +
      'clocks of the host and the file server; free space and inodes; folders and permissions; the lease; the database ' +
      'and its journal; files without a job and jobs without their files; leftovers of killed processes; silent nodes ' +
      'and jobs that run on them; versions, mounts, users and clocks of other hosts, as reported by their feeders; the ' +
      'runtime directory; the crontab.',
    'Prints the result of each check: ok, note (it works), not checked, or problem. Prints for each finding what was ' +
      'found, why it matters and what to do. The exit status is 1 if there is a problem.',
    'Changes nothing: temporary files are removed again. On a read-only queue, or on a mount without locks, some ' +
      'checks are skipped and reported as not checked.',
  ],
  examples: [
    { type: 'rq q doctor', does: 'check the queue and this host' },
    { type: 'rq q doctor --with node1,node2', does: 'also check that these hosts run feeders, and compare them' },
    { type: 'rq q doctor --full --fields verdict', does: 'check the whole database, and print only the verdict' },
    { type: 'ssh node7 rq q doctor', does: 'check from another host' },
  ],
  load: () => import('../commands/queue/doctor.ts'),
};
