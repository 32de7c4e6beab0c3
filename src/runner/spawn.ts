import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { attemptName, type Environment, type SpawnRequest } from './protocol.ts';
import { CannotStart, startFailure, systemMessage } from './start-failure.ts';
import { closeStdio, openStdio, type Stdio } from './stdio.ts';

/** Linux takes at most 131,072 bytes as one argument (MAX_ARG_STRLEN, execve(2)). */
const MAX_ARGUMENT_BYTES = 100_000;

/** An attempt with all that is opened and written for it, one step before the fork. */
export interface PreparedSpawn {
  readonly request: SpawnRequest;
  readonly words: readonly string[];
  readonly stdio: Stdio;
  readonly script: string | undefined;
}

export interface Ended {
  readonly exit_status: number | null;
  readonly signal: string | null;
  readonly reason: string | null;
  readonly isLost: boolean;
}

/** The end of an attempt that could not be started. */
export function failed(reason: string): Ended {
  return { exit_status: null, signal: null, reason, isLost: false };
}

/** The bash that is first on PATH, looked up once, so that no directory of a job's PATH can put another there. */
export function findBash(path: string = process.env['PATH'] ?? ''): string {
  const candidates = path.split(delimiter).filter((directory) => directory.startsWith('/'));
  return candidates.map((directory) => join(directory, 'bash')).find(isExecutable) ?? '/bin/bash';
}

/** Opens the files and writes the script of a long command. Throws CannotStart; nothing is left behind then. */
export function prepareSpawn(request: SpawnRequest, scripts: string): PreparedSpawn {
  const { command } = request;
  if (command.includes('\0')) throw new CannotStart('cannot run the command: it contains a NUL character');
  const stdio = openStdio(request);
  // A character has at most 3 bytes a UTF-16 unit, so that counting is seldom needed.
  const isShort = command.length * 3 <= MAX_ARGUMENT_BYTES || Buffer.byteLength(command) <= MAX_ARGUMENT_BYTES;
  if (isShort) return { request, words: ['-c', command], stdio, script: undefined };
  try {
    const script = writeScript(scripts, attemptName(request), command);
    return { request, words: [script], stdio, script };
  } catch (error) {
    closeStdio(stdio);
    throw new CannotStart(`cannot write the command to ${scripts}: ${systemMessage(error)}`);
  }
}

/** Undoes what was prepared for an attempt that is not to be started after all. */
export function discardSpawn({ stdio, script }: PreparedSpawn): void {
  closeStdio(stdio);
  if (script !== undefined) rmSync(script, { force: true });
}

/**
 * Forks and execs; gives the pid, null where that failed. `onEnd` comes once, never before this has returned.
 * The files are closed here, and the script is removed at the end.
 */
export function startProcess(
  { request, words, stdio, script }: PreparedSpawn,
  bash: string,
  env: Environment,
  onEnd: (ended: Ended) => void,
): number | null {
  const end = (ended: Ended): void => {
    if (script !== undefined) rmSync(script, { force: true });
    onEnd(ended);
  };
  const fail = (error: unknown): void => end(failed(startFailure(error, request.cwd)));
  let child: ChildProcess;
  try {
    child = spawn(bash, words, { argv0: 'bash', cwd: request.cwd, env, detached: true, stdio });
  } catch (error) {
    process.nextTick(fail, error);
    return null;
  } finally {
    closeStdio(stdio);
  }
  if (child.pid === undefined) {
    child.once('error', fail);
    return null;
  }
  child.once('exit', (exit_status, signal) => end({ exit_status, signal, reason: null, isLost: false }));
  return child.pid;
}

/** Removes the scripts of attempts that do not run. */
export function sweepScripts(scripts: string, isRunning: (name: string) => boolean): void {
  mkdirSync(scripts, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(scripts)) {
    if (!isRunning(name)) rmSync(join(scripts, name), { force: true });
  }
}

/** Removes the script of an attempt that another runner started, if it has one. */
export function removeScript(scripts: string, name: string): void {
  rmSync(join(scripts, name), { force: true });
}

function writeScript(scripts: string, name: string, command: string): string {
  const script = join(scripts, name);
  try {
    writeFileSync(script, command, { mode: 0o600 });
  } catch (error) {
    rmSync(script, { force: true });
    throw error;
  }
  return script;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
