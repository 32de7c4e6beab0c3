import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { RqError } from '../../job/errors.ts';
import { userName } from '../../job/host.ts';
import { type LaunchSettings, WITHOUT_LAUNCH_VARIABLES } from './launch-settings.ts';
import { parseSoftLimits } from './soft-limits.ts';

/** The state of a login shell: its variables, umask and soft limits, and a script with its functions, aliases and options. */
export interface LoginState extends LaunchSettings {
  readonly environment: Record<string, string>;
  /** The script, which each job's bash reads first (BASH_ENV). Undefined if it would be empty. */
  readonly startupFile: string | undefined;
}

const TIMEOUT_S = 30;
/** The exit status of timeout(1) when it has ended the program. If it has to kill the program, it kills itself as well. */
const TIMED_OUT = 124;
/** Prints functions, aliases and options as commands that restore them. */
const PRINT_STATE = '{ declare -f; alias -p; shopt -p; set +o; }';
/** Writes the variables, an empty entry, the settings, and the rest, separated by NUL. */
const PRINT_ALL = `{
  /usr/bin/env -0
  builtin printf '\\0%s\\0' "$(builtin umask; builtin printf '%s' "$(</proc/$$/limits)")"
  ${PRINT_STATE}
} >"$1"`;
/** The home directory may hang, so it is entered here. With -p, bash does not read BASH_ENV. */
const LOG_IN = ['bash', '-pc', 'cd -- "$1" || exit; ulimit -Sn "$2"; umask "$3"; exec bash --login -c "$4" bash "$5"'];
/** Variables of the capturing shell itself. */
const OWN_VARIABLES = new Set(['_', 'SHLVL', 'PWD', 'OLDPWD', 'BASH_EXECUTION_STRING']);
const SILENT = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;

/**
 * Captures the state of a login shell, and writes the script to `directory`. Jobs do not run a login shell themselves,
 * since it can take 200 ms or more. Output of the profiles is ignored. Throws if the shell fails or takes too long.
 */
export async function captureLogin(
  directory: string,
  launch: LaunchSettings,
  timeoutS: number = TIMEOUT_S,
): Promise<LoginState> {
  const file = join(directory, 'login.state');
  const startupFile = join(directory, 'login.bash');
  rmSync(file, { force: true });
  try {
    const [plain] = await Promise.all([printPlainState(), runLoginShell(file, launch, timeoutS)]);
    const { state, ...login } = parseAll(readFileSync(file, 'utf8'));
    const restored = linesToRestore(state, plain);
    if (restored === '') return { ...login, startupFile: undefined };
    const script = `${restored}\n${restoreBashEnv(login.environment['BASH_ENV'])}\n`;
    // The rename is atomic for jobs that start meanwhile.
    writeFileSync(`${startupFile}.new`, script, { mode: 0o600 });
    renameSync(`${startupFile}.new`, startupFile);
    return { ...login, startupFile };
  } finally {
    rmSync(file, { force: true });
  }
}

/** Runs PRINT_ALL in a login shell that starts with the settings. timeout(1) also ends what a profile waits for. */
async function runLoginShell(file: string, { umask, limits }: LaunchSettings, timeoutS: number): Promise<void> {
  const name = userName();
  // Profiles and jobs rely on both variables, and Debian's cron sets only LOGNAME.
  const user = { USER: process.env['USER'] ?? name, LOGNAME: process.env['LOGNAME'] ?? name };
  const settings = [homedir(), String(limits['nofile']), umask.toString(8)];
  const options = { ...SILENT, reject: false, cleanup: true, cwd: '/', env: { ...user, ...WITHOUT_LAUNCH_VARIABLES } };
  const args = ['-k', '1', String(timeoutS), ...LOG_IN, 'bash', ...settings, PRINT_ALL, file];
  const { failed, exitCode, signal, shortMessage } = await execa('timeout', args, options);
  if (exitCode === TIMED_OUT || signal === 'SIGKILL') throw loginError(`did not end within ${timeoutS} s`);
  if (failed)
    throw loginError(exitCode === undefined ? `did not start: ${shortMessage}` : `failed with exit status ${exitCode}`);
  if (!existsSync(file))
    throw loginError('ended before it had read the profiles: one of them exits, or executes another program');
}

async function printPlainState(): Promise<string> {
  const options = { stdin: 'ignore', stderr: 'ignore', timeout: TIMEOUT_S * 1000, cwd: '/' } as const;
  return (await execa('bash', ['--norc', '--noprofile', '-c', PRINT_STATE], options)).stdout;
}

function loginError(predicate: string): RqError {
  return new RqError('IO', `the login shell ${predicate}; correct the profiles of bash, such as ~/.bash_profile`);
}

/** Parses the output of PRINT_ALL. */
function parseAll(text: string): Omit<LoginState, 'startupFile'> & { readonly state: string } {
  const entries = text.split('\0');
  const [settings = '', state = ''] = entries.splice(-2);
  const [umask = '', limits = ''] = settings.split(/\n(.*)/s);
  return {
    environment: parseEnvironment(entries),
    umask: Number.parseInt(umask, 8),
    limits: parseSoftLimits(limits),
    state,
  };
}

/**
 * Returns a value that changes when a profile of the login shell changes. Another program reads the attributes: a thread of
 * this process would hang with the home directory, and Node waits for its threads before it exits.
 */
export async function profileStamp(): Promise<string> {
  const home = homedir();
  const own = ['.bash_profile', '.bash_login', '.profile', '.bashrc'].map((name) => join(home, name));
  const args = ['-k', '1', String(TIMEOUT_S), 'stat', '--dereference', '--format=%n %.Y %s'];
  const paths = ['/etc/profile', '/etc/profile.d', '/etc/bash.bashrc', ...own];
  const options = { stdin: 'ignore', stderr: 'ignore', reject: false, cwd: '/' } as const;
  return (await execa('timeout', [...args, ...paths], options)).stdout;
}

function parseEnvironment(entries: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const entry of entries) {
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
