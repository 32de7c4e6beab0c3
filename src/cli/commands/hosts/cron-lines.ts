import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { cronLine, type IsOwn } from '../../../cron/lines.ts';
import { errorCode } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { quoteCommand, quoteWord, splitWords } from '../../parse/shell-words.ts';
import { optionArguments } from './feeder-call.ts';

/** Options of the call that the lines pass on to `start`. */
const START_OPTIONS = [
  'max_feed',
  'memory',
  'gpus',
  'have',
  'min_sleep',
  'max_sleep',
  'trust-group',
  'retries',
  'log_age',
  'log_size',
  'lock-timeout',
  'verbosity',
];
/** The same, with paths that become absolute. */
const START_PATHS = ['log', 'dot_rq_dir'];

const START_TIMES = ['*/15 * * * *', '@reboot'];
/** At night, and not on the hour, when many other jobs start. */
const ROTATE_TIME = '17 3 * * *';

/** Makes the crontab lines that keep a feeder of the queue running. Throws INVALID_INPUT for a path that cron cannot use. */
export function cronLines(call: CommandCall): string[] {
  const queue = resolve(call.queue);
  const start = shellLine(call, [queue, 'start', '--quiet', ...startArguments(call)]);
  const rotate = `${shellLine(call, [queue, 'rotate', ...optionArguments(call, ['lock-timeout'])])} >/dev/null`;
  const nightly = call.options.flag('rotate') ? [{ when: ROTATE_TIME, command: rotate }] : [];
  const entries = [...START_TIMES.map((when) => ({ when, command: start })), ...nightly];
  return entries.map((entry) => cronLine(entry, quoteWord(queue)));
}

/** Recognises the lines of the queue, even if they name it by another path to the same directory. */
export function isOwnLine(call: CommandCall): IsOwn {
  const queue = resolve(call.queue);
  const real = realPath(queue);
  return (queueWord) => {
    const path = splitWords(queueWord, 'the crontab')[0] ?? '';
    return path === queue || (real !== undefined && realPath(path) === real);
  };
}

/** Node and rq have absolute paths, because cron runs commands with a short PATH and without a profile. */
function shellLine({ environment }: CommandCall, args: readonly string[]): string {
  const host = environment['RQ_HOST'] ? [`RQ_HOST=${hostName(environment)}`] : [];
  const runtime = environment['RQ_RUNTIME_DIR'];
  const settings = [...host, ...(runtime ? [`RQ_RUNTIME_DIR=${resolve(runtime)}`] : [])];
  // With env, because a crontab can set SHELL to a shell without assignments before a command.
  const prefix = settings.length === 0 ? [] : ['/usr/bin/env', ...settings];
  return quoteCommand([...prefix, process.execPath, resolve(process.argv[1] ?? ''), ...args]);
}

function startArguments(call: CommandCall): string[] {
  const paths = START_PATHS.flatMap((name) => {
    const path = call.options.text(name);
    return path === undefined ? [] : [`--${name}=${resolve(path)}`];
  });
  return [...optionArguments(call, START_OPTIONS), ...paths];
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    // A queue that was removed or cannot be read is recognised by its path alone.
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
