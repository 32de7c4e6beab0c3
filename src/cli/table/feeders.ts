import { MAX_SLOTS } from '../../job/limits.ts';
import type { CommandSpec, OptionSpec } from '../parse/command-spec.ts';
import { SNAPSHOT } from './job-words.ts';

const QUIET: OptionSpec = {
  name: 'quiet',
  short: 'q',
  type: 'flag',
  help: 'Exit silently with status 0 if another feeder of this host feeds from the queue.',
};

/** What every way to start a feeder takes. */
export const FEED_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'max_feed',
    type: 'integer',
    value: 'N',
    min: 1,
    max: MAX_SLOTS,
    help: "How many jobs to run at once (default: as the queue is configured, or the host's available processors).",
  },
  {
    name: 'min_sleep',
    type: 'number',
    value: 'SECONDS',
    min: 0.01,
    max: 86_400,
    help: 'The shortest time between polls when there is nothing to do (default: as the queue is configured, or 1).',
  },
  {
    name: 'max_sleep',
    type: 'number',
    value: 'SECONDS',
    min: 0.01,
    max: 86_400,
    help: 'The longest time between polls when there is nothing to do (default: as the queue is configured, or 5).',
  },
  { name: 'trust-group', type: 'flag', help: 'Feed from a queue that the members of its group can write to.' },
  {
    name: 'retries',
    type: 'integer',
    value: 'N',
    min: 0,
    max: 1_000_000,
    help: 'How often to try again when the queue is busy or cannot be reached (default: a million times).',
  },
];

const ENDING_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'daemon',
    short: 'D',
    type: 'flag',
    help: 'Go to the background: own session, cwd /, umask 022, output to the log.',
  },
  { name: 'loops', short: 'L', type: 'integer', value: 'N', min: 1, max: 1e9, help: 'End after so many polls.' },
  {
    name: 'until-empty',
    type: 'flag',
    help: 'End when nothing is pending that this host may run, and nothing that this feeder started still runs.',
  },
];

export const FEEDER_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'feed',
    short: ['f'],
    summary: 'take jobs from the queue and run them on this host',
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [...ENDING_OPTIONS, ...FEED_OPTIONS, QUIET],
    report: ['pid', 'log'],
    description: [
      'Runs jobs, oldest of the highest priority first, until it is told to stop. One feeder of a host feeds from a ' +
        'queue at a time.',
      'SIGTERM and SIGINT: take no more jobs, let those that run finish, exit; a second Ctrl-C kills them, as stop does. SIGHUP: ' +
        'start the program of the feeder anew with the same arguments; jobs are not touched. If a feeder dies, its jobs go on and the next one takes ' +
        'them over.',
      'A feeder runs what the queue says, as you: it refuses a queue that others can write to.',
    ],
    examples: [
      { type: 'rq q feed', does: 'in this terminal, as many jobs at once as there are processors' },
      { type: 'rq q feed --daemon --max_feed 4', does: 'in the background, four at once' },
      { type: 'rq q feed --until-empty', does: 'until all is done' },
    ],
    load: () => import('../commands/hosts/feed.ts'),
  },
  {
    name: 'start',
    short: [],
    summary: 'start a feeder in the background',
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [...FEED_OPTIONS, QUIET],
    report: ['pid', 'log'],
    description: ['The same as feed --daemon, with a log in the default place unless --log names one. Prints the pid.'],
    examples: [
      { type: 'rq q start', does: 'feed from now on' },
      { type: 'rq q start --quiet', does: 'the same, silent if one feeds already' },
    ],
    load: () => import('../commands/hosts/start.ts'),
  },
  {
    name: 'shutdown',
    short: [],
    summary: "end this host's feeder when its jobs have finished",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [],
    report: ['pid', 'ended'],
    description: ["Tells this host's feeder to take no more jobs, and waits until those that run have finished."],
    examples: [
      { type: 'rq q shutdown', does: 'before maintenance' },
      { type: 'ssh node7 rq q shutdown', does: 'on another host' },
    ],
    load: () => import('../commands/hosts/shutdown.ts'),
  },
  {
    name: 'stop',
    short: [],
    summary: "end this host's feeder and its jobs now",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [],
    report: ['pid', 'ended'],
    description: [
      "Kills this host's jobs (TERM, then KILL) and ends the feeder. Restartable jobs go back to pending; others become dead.",
    ],
    examples: [
      { type: 'rq q stop', does: 'free this host at once' },
      { type: 'ssh node7 rq q stop', does: 'on another host' },
    ],
    load: () => import('../commands/hosts/stop.ts'),
  },
  {
    name: 'restart',
    short: [],
    summary: "start this host's feeder anew, jobs untouched",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [],
    report: ['pid', 'before'],
    description: ['The feeder starts its program anew with the same arguments, as after an upgrade of rq.'],
    examples: [
      { type: 'rq q restart', does: 'after an upgrade' },
      { type: 'ssh node7 rq q restart', does: 'on another host' },
    ],
    load: () => import('../commands/hosts/restart.ts'),
  },
  {
    name: 'pid',
    short: [],
    summary: "print the pids of this host's feeder",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [],
    report: ['pid', 'runner'],
    description: ["Prints the pids of this host's feeder and of its runner; status 1 if there is none."],
    examples: [
      { type: 'rq q pid', does: 'is there a feeder?' },
      { type: 'rq q pid || rq q start', does: 'start one if not' },
    ],
    load: () => import('../commands/hosts/pid.ts'),
  },
  {
    name: 'feeder',
    short: [],
    summary: "print what this host's feeder does",
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [],
    report: ['pid', 'runner', 'host', 'since', 'slots', 'running', 'queue'],
    description: ["Prints pid, runner's pid, since when, slots and running jobs; status 1 if there is no feeder."],
    examples: [
      { type: 'rq q feeder', does: 'as YAML' },
      { type: 'rq q feeder --json', does: 'as JSON' },
    ],
    load: () => import('../commands/hosts/feeder.ts'),
  },
  {
    name: 'nodes',
    short: [],
    summary: 'print the hosts that feed, and whether they live',
    positionals: '',
    maxPositionals: 0,
    queue: 'named',
    options: [SNAPSHOT],
    report: ['host', 'state', 'slots', 'running', 'last_beat', 'age', 'pid', 'version', 'started'],
    description: [
      'Prints a list of the hosts that feed or fed from the queue: state is feeding, silent where no sign of life came ' +
        'for a while, or lost where others ended its jobs on its behalf (see lost_after in: rq help configure). A host ' +
        'whose feeder was shut down is not in it.',
      'last_beat is the time stamp of its last sign of life, and age how long that is ago by the clock of this host.',
    ],
    examples: [
      { type: 'rq q nodes', does: 'all of them' },
      { type: 'rq q nodes --fields host,state,running --json', does: 'how they do, for a program' },
    ],
    load: () => import('../commands/hosts/nodes.ts'),
  },
];
