import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { errorCode } from '../../job/errors.ts';
import { userName } from '../../job/host.ts';

/** What a login shell leaves behind: variables, and what is no variable (functions, aliases, options) as a script. */
export interface LoginState {
  readonly environment: Record<string, string>;
  /** A file that each job's bash reads first (BASH_ENV); undefined if there is nothing in it. */
  readonly startupFile: string | undefined;
}

const TIMEOUT_MS = 60_000;
const STATE = '{ declare -f; alias -p; shopt -p; set +o; }';
/** Of the shell that was asked, not of the login. */
const OWN_VARIABLES = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD', 'BASH_EXECUTION_STRING']);

/**
 * Runs a login shell and captures its state, the script in `directory`. It is asked once and not by each job, since it
 * may take 200 ms and more. What profiles print is ignored. Throws if the shell fails or takes a minute.
 */
export async function captureLogin(directory: string): Promise<LoginState> {
  const variables = join(directory, 'login.env');
  const state = join(directory, 'login.state');
  const startupFile = join(directory, 'login.bash');
  const script = `/usr/bin/env -0 >"$1"; ${STATE} >"$2"`;
  const name = userName();
  // Profiles and jobs count on them, and Debian's cron sets only the latter.
  const env = { USER: process.env['USER'] ?? name, LOGNAME: process.env['LOGNAME'] ?? name };
  const silent = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
  const options = { ...silent, timeout: TIMEOUT_MS, cleanup: true, cwd: homedir(), env };
  try {
    const [plain] = await Promise.all([
      execa('bash', ['--norc', '--noprofile', '-c', STATE], { stdin: 'ignore', stderr: 'ignore', timeout: TIMEOUT_MS }),
      execa('bash', ['--login', '-c', script, 'bash', variables, state], options),
    ]);
    const environment = parseEnvironment(readFileSync(variables, 'utf8'));
    const restored = linesToRestore(readFileSync(state, 'utf8'), plain.stdout);
    if (restored === '') return { environment, startupFile: undefined };
    // Jobs that start meanwhile read the old file or the new one, never half of one.
    writeFileSync(`${startupFile}.new`, `${restored}\n${afterwards(environment['BASH_ENV'])}\n`, { mode: 0o600 });
    renameSync(`${startupFile}.new`, startupFile);
    return { environment, startupFile };
  } finally {
    rmSync(variables, { force: true });
    rmSync(state, { force: true });
  }
}

/** The state of the profiles of a login shell: another value means that the login has to be captured anew. */
export function profileStamp(): string {
  const home = homedir();
  const own = ['.bash_profile', '.bash_login', '.profile', '.bashrc'].map((name) => join(home, name));
  return ['/etc/profile', '/etc/profile.d', '/etc/bash.bashrc', ...own].map(modified).join(' ');
}

function modified(path: string): string {
  try {
    const { mtimeMs, size } = statSync(path);
    return `${mtimeMs}:${size}`;
  } catch (error) {
    return errorCode(error) ?? 'unknown';
  }
}

function parseEnvironment(text: string): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    const name = entry.slice(0, equals);
    if (equals > 0 && !OWN_VARIABLES.has(name)) environment[name] = entry.slice(equals + 1);
  }
  return environment;
}

/** Functions and aliases whole, and those options that differ from the ones of a shell without profiles. */
function linesToRestore(state: string, plain: string): string {
  if (state.trim() === plain.trim()) return '';
  const isPlain = new Set(plain.split('\n').filter((line) => /^(shopt -|set [-+]o )/.test(line)));
  const kept = state.split('\n').filter((line) => {
    // Read-only in any shell: bash complains if they are set.
    if (/^shopt -[su] (login_shell|restricted_shell)$/.test(line)) return false;
    return !isPlain.has(line);
  });
  return kept.join('\n').trim();
}

function afterwards(ownBashEnv: string | undefined): string {
  if (ownBashEnv === undefined) return 'unset BASH_ENV';
  return `export BASH_ENV='${ownBashEnv.replaceAll("'", "'\\''")}'`;
}
