import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { errorCode } from '../../job/errors.ts';
import { userName } from '../../job/host.ts';

/** The state of a login shell: its variables, and a script with its functions, aliases and options. */
export interface LoginState {
  readonly environment: Record<string, string>;
  /** The script, which each job's bash reads first (BASH_ENV). Undefined if it would be empty. */
  readonly startupFile: string | undefined;
}

const TIMEOUT_MS = 60_000;
/** Prints functions, aliases and options as commands that restore them. */
const PRINT_STATE = '{ declare -f; alias -p; shopt -p; set +o; }';
/** Variables of the capturing shell itself. */
const OWN_VARIABLES = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD', 'BASH_EXECUTION_STRING']);

/**
 * Captures the state of a login shell, and writes the script to `directory`. Jobs do not run a login shell themselves,
 * since it can take 200 ms or more. Output of the profiles is ignored. Throws if the shell fails or takes a minute.
 */
export async function captureLogin(directory: string): Promise<LoginState> {
  const variables = join(directory, 'login.env');
  const state = join(directory, 'login.state');
  const startupFile = join(directory, 'login.bash');
  const script = `/usr/bin/env -0 >"$1"; ${PRINT_STATE} >"$2"`;
  const name = userName();
  // Profiles and jobs rely on both variables, and Debian's cron sets only LOGNAME.
  const env = { USER: process.env['USER'] ?? name, LOGNAME: process.env['LOGNAME'] ?? name };
  const silent = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
  const options = { ...silent, timeout: TIMEOUT_MS, cleanup: true, cwd: homedir(), env };
  const plainOptions = { stdin: 'ignore', stderr: 'ignore', timeout: TIMEOUT_MS, cwd: '/' } as const;
  try {
    const [plain] = await Promise.all([
      execa('bash', ['--norc', '--noprofile', '-c', PRINT_STATE], plainOptions),
      execa('bash', ['--login', '-c', script, 'bash', variables, state], options),
    ]);
    const environment = parseEnvironment(readFileSync(variables, 'utf8'));
    const restored = linesToRestore(readFileSync(state, 'utf8'), plain.stdout);
    if (restored === '') return { environment, startupFile: undefined };
    // The rename is atomic for jobs that start meanwhile.
    writeFileSync(`${startupFile}.new`, `${restored}\n${restoreBashEnv(environment['BASH_ENV'])}\n`, { mode: 0o600 });
    renameSync(`${startupFile}.new`, startupFile);
    return { environment, startupFile };
  } finally {
    rmSync(variables, { force: true });
    rmSync(state, { force: true });
  }
}

/** Returns a value that changes when a profile of the login shell changes. */
export function profileStamp(): string {
  const home = homedir();
  const own = ['.bash_profile', '.bash_login', '.profile', '.bashrc'].map((name) => join(home, name));
  return ['/etc/profile', '/etc/profile.d', '/etc/bash.bashrc', ...own].map(fileStamp).join(' ');
}

function fileStamp(path: string): string {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs}:${size}`;
  } catch (error) {
    return errorCode(error) ?? 'unknown';
  }
}

/** Parses the output of `env -0`. */
function parseEnvironment(text: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    const name = entry.slice(0, equals);
    if (equals > 0 && !OWN_VARIABLES.has(name)) environment[name] = entry.slice(equals + 1);
  }
  return environment;
}

/** Returns all functions and aliases, and those options that differ from the options of a shell without profiles. */
function linesToRestore(state: string, plain: string): string {
  if (state.trim() === plain.trim()) return '';
  const plainOptions = new Set(plain.split('\n').filter((line) => /^(shopt -|set [-+]o )/.test(line)));
  const kept = state.split('\n').filter((line) => {
    // These are read-only, and bash reports an error if a script sets them.
    if (/^shopt -[su] (login_shell|restricted_shell)$/.test(line)) return false;
    return !plainOptions.has(line);
  });
  return kept.join('\n').trim();
}

/** Gives BASH_ENV the value that the login shell had, for the programs that a job starts. */
function restoreBashEnv(value: string | undefined): string {
  if (value === undefined) return 'unset BASH_ENV';
  return `export BASH_ENV='${value.replaceAll("'", "'\\''")}'`;
}
