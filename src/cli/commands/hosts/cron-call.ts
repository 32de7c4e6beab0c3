import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { cronLine, type IsOwn } from '../../../cron/lines.ts';
import { errorCode } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { quoteCommand, quoteWord, splitWords } from '../../parse/shell-words.ts';
import { optionWords } from './feeder-call.ts';

/** The options of `start` that a line repeats; paths are made absolute. */
const KEPT = [
  'max_feed',
  'min_sleep',
  'max_sleep',
  'trust-group',
  'retries',
  'log_age',
  'log_size',
  'lock-timeout',
  'verbosity',
];
const KEPT_PATHS = ['log', 'dot_rq_dir'];

const START_TIMES = ['*/15 * * * *', '@reboot'];
/** At night, and not at the full hour, when others do theirs. */
const ROTATE_TIME = '17 3 * * *';

/** The lines of the crontab that keep a feeder of the queue alive. Throws INVALID_INPUT where a path cannot stand in one. */
export function cronLines(call: CommandCall): string[] {
  const queue = resolve(call.queue);
  const start = shellLine(call, [queue, 'start', '--quiet', ...startWords(call)]);
  const rotate = `${shellLine(call, [queue, 'rotate', ...optionWords(call, ['lock-timeout'])])} >/dev/null`;
  const nightly = call.options.flag('rotate') ? [{ when: ROTATE_TIME, command: rotate }] : [];
  const entries = [...START_TIMES.map((when) => ({ when, command: start })), ...nightly];
  return entries.map((entry) => cronLine(entry, quoteWord(queue)));
}

/** Tells the lines of the call's queue, also where they name it by another path to the same directory. */
export function isOwnLine(call: CommandCall): IsOwn {
  const queue = resolve(call.queue);
  const real = realPath(queue);
  return (queueWord) => {
    const path = splitWords(queueWord, 'the crontab')[0] ?? '';
    return path === queue || (real !== undefined && realPath(path) === real);
  };
}

/** cron runs it with a short PATH and no profile: the program and Node by their absolute paths. */
function shellLine({ environment }: CommandCall, words: readonly string[]): string {
  const host = environment['RQ_HOST'] ? [`RQ_HOST=${hostName(environment)}`] : [];
  const runtime = environment['RQ_RUNTIME_DIR'];
  const settings = [...host, ...(runtime ? [`RQ_RUNTIME_DIR=${resolve(runtime)}`] : [])];
  // By env, for a crontab may set SHELL to one that knows no assignments before a command.
  const prefix = settings.length === 0 ? [] : ['/usr/bin/env', ...settings];
  return quoteCommand([...prefix, process.execPath, resolve(process.argv[1] ?? ''), ...words]);
}

function startWords(call: CommandCall): string[] {
  const paths = KEPT_PATHS.flatMap((name) => {
    const path = call.options.text(name);
    return path === undefined ? [] : [`--${name}=${resolve(path)}`];
  });
  return [...optionWords(call, KEPT), ...paths];
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    // A queue that is gone, or that its file server or owner keeps from us, is known by its name only.
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
