import type { CommandSpec } from '../parse/command-spec.ts';

/** Commands that keep a queue well. */
export const CARE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'configure',
    short: ['C'],
    summary: "print or set the queue's settings",
    positionals: '[KEY=VALUE…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [],
    report: ['max_feed', 'min_sleep', 'max_sleep', 'lost_after', 'retention'],
    description: [
      'Sets what is given and prints all settings. max_feed, min_sleep and max_sleep are what feeders use that were not ' +
        'told otherwise when they were started (one that runs takes them at its next restart). lost_after: a host that ' +
        'gave no sign of life for so many seconds is lost (default 900), and what it ran goes to others if it is ' +
        'restartable, and is dead if not. retention: so many seconds ended jobs stay before rotate takes them. null ' +
        'sets back to the default.',
    ],
    examples: [
      { type: 'rq q configure', does: 'all settings' },
      { type: 'rq q configure max_feed=4 max_sleep=30', does: 'four jobs at once on each host' },
      { type: 'rq q configure retention=604800', does: 'keep jobs for a week after their end' },
    ],
    load: () => import('../commands/queue/configure.ts'),
  },
  {
    name: 'snapshot',
    short: ['S'],
    summary: 'copy the database, to read from the copy',
    positionals: '[DIR]',
    maxPositionals: 1,
    queue: 'named',
    options: [],
    report: ['path'],
    description: [
      'Makes a consistent, checked copy of the database of a live queue, as a queue that can only be read, and prints ' +
        'its path (default: the name of the queue with .snapshot, here). Never overwrites.',
    ],
    examples: [
      { type: 'rq q snapshot', does: 'to ./q.snapshot' },
      { type: 'rq q snapshot /tmp/look', does: 'to read from it by rq /tmp/look list' },
    ],
    load: () => import('../commands/queue/snapshot.ts'),
  },
  {
    name: 'backup',
    short: ['B', 'b'],
    summary: 'copy the whole queue',
    positionals: '[DIR]',
    maxPositionals: 1,
    queue: 'named',
    options: [],
    report: ['path', 'jobs', 'files'],
    description: [
      'Copies the database and the files of all jobs of a live queue to a directory that can take its place, and prints ' +
        "its path (default: the queue's, with the time and .bak). Never overwrites.",
    ],
    examples: [
      { type: 'rq q backup', does: 'beside the queue' },
      { type: 'rq q backup /backup/q', does: 'to another disk' },
    ],
    load: () => import('../commands/queue/backup.ts'),
  },
  {
    name: 'rotate',
    short: ['R'],
    summary: 'move finished and dead jobs out of the queue',
    positionals: '[DIR|FILE.tgz]',
    maxPositionals: 1,
    queue: 'named',
    options: [],
    report: ['rotation', 'jobs'],
    description: [
      'Moves finished and dead jobs and their files to a rotation and prints its path. A name that ends with .tgz or ' +
        '.tar.gz makes one compressed file, any other a directory, which is a queue that can only be read (default: ' +
        "the queue's path with the time and .tgz). Never overwrites.",
      'The rotation is complete and synced before anything is removed. If rq is killed, the jobs are either all in the ' +
        'queue or all in the rotation, and the next rotate finishes what is left to do.',
    ],
    examples: [
      { type: 'rq q rotate', does: 'to a .tgz beside the queue' },
      { type: 'rq q rotate old', does: 'to a directory, to look into it by rq old list' },
    ],
    load: () => import('../commands/queue/rotate.ts'),
  },
  {
    name: 'lock',
    short: ['L'],
    summary: 'run a command while the queue is locked',
    positionals: 'read|shared|write|exclusive -- COMMAND…',
    minPositionals: 1,
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [],
    description: [
      'Runs the command while holding a lock on the queue, and ends with its exit status. read or shared: all may read, ' +
        'nobody changes anything. write or exclusive: nobody else reads or changes anything. Feeders wait, their jobs ' +
        'run on. The lock ends with the command, and with rq itself, however that ends.',
    ],
    examples: [
      { type: 'rq q lock read -- cp -a q /backup/q', does: 'a copy while nobody writes' },
      { type: 'rq q lock exclusive -- tar -czf q.tgz q', does: 'an archive, while nobody else reads or writes' },
    ],
    load: () => import('../commands/queue/lock.ts'),
  },
];
