import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { nameFault, type Variables } from '../../job/columns/variables.ts';
import { RqError } from '../../job/errors.ts';

/**
 * The names that `--env all` leaves out, because they identify this user, host, session, terminal or job of a scheduler, or
 * control how bash starts. docs/submitting-jobs.md lists them.
 */
const NOT_IN_ALL = new RegExp(
  `^(?:${[
    'OLDPWD|SHLVL|_|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|HOME|USER|LOGNAME|SHELL|MAIL',
    'HOST|HOSTNAME|REMOTEHOST|TMPDIR|TMP|TEMP|CUDA_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES',
    'TERM|TERMCAP|TERM_PROGRAM.*|COLORTERM|COLUMNS|LINES|WINDOWID|STY|TMUX.*|VTE_VERSION',
    'DISPLAY|XAUTHORITY|WAYLAND_DISPLAY|SSH_.*|GPG_TTY|XDG_(?:RUNTIME_DIR|SEAT|VTNR|SESSION_.*)|DBUS_SESSION_BUS_ADDRESS',
    'INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|SLURM.*|PBS_.*|LSB_.*|PMIX?_.*',
  ].join('|')})$`,
);

/**
 * The variables that the values of `--env` name. Each value is a comma-separated list of `NAME`, whose value is that of the
 * environment, `NAME=VALUE`, and `all`. A later item replaces an earlier one. In a value, `\,` is a comma. Throws
 * INVALID_INPUT.
 */
export function readVariables(
  lists: readonly string[],
  environment: NodeJS.ProcessEnv,
  action: string,
): Variables | undefined {
  if (lists.length === 0) return undefined;
  const items = lists.flatMap((list) => list.split(/(?<!\\),/).map((item) => item.replaceAll('\\,', ',')));
  return Object.fromEntries(items.flatMap((item) => readItem(item, environment, action)));
}

function readItem(item: string, environment: NodeJS.ProcessEnv, action: string): [string, string][] {
  if (item === 'all') return allVariables(environment, action);
  const equals = item.indexOf('=');
  const name = equals === -1 ? item : item.slice(0, equals);
  const fault = nameFault(name);
  if (fault !== undefined) {
    const hint = equals === -1 ? `; in a value, write "\\," for a comma` : '';
    throw new RqError('INVALID_INPUT', `${action} with --env: the name "${name}" ${fault}${hint}`);
  }
  return [[name, equals === -1 ? ownValue(name, environment, action) : item.slice(equals + 1)]];
}

/** A name that no shell accepts, such as that of an exported function, is left out. */
function allVariables(environment: NodeJS.ProcessEnv, action: string): [string, string][] {
  const names = Object.keys(environment).filter((name) => nameFault(name) === undefined && !NOT_IN_ALL.test(name));
  return names.sort().map((name) => [name, ownValue(name, environment, action)]);
}

function ownValue(name: string, environment: NodeJS.ProcessEnv, action: string): string {
  const value = environment[name];
  if (value === undefined) {
    const advice = `export ${name}, or give --env ${name}=VALUE`;
    throw new RqError('INVALID_INPUT', `${action} with --env: the variable ${name} is not set; ${advice}`);
  }
  // Node replaces invalid bytes by U+FFFD. The kernel keeps the original bytes (proc(5), environ).
  if (!value.includes('\ufffd') || isUtf8(originalBytes(name))) return value;
  throw new RqError('INVALID_INPUT', `${action} with --env: the value of the variable ${name} is not UTF-8; unset it`);
}

function originalBytes(name: string): Buffer {
  const text = readFileSync('/proc/self/environ', 'latin1');
  return Buffer.from(text.split('\0').find((each) => each.startsWith(`${name}=`)) ?? '', 'latin1');
}
