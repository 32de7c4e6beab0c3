import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { type ErrorCode, errorMessage, RqError } from '../job/errors.ts';
import { closeInheritedDescriptors, isSessionLeader } from '../job/process.ts';
import { makeLogDirectory } from '../log/logger.ts';
import { launchVariables } from './start/launch-settings.ts';

/** A feeder that has started: its pid, and lines for the user. */
export interface Started {
  readonly pid: number;
  readonly warnings: readonly string[];
}

/** The message that a daemon sends to the process that started it. */
type Message = Started | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

/**
 * Starts this program as a daemon in its own session, with the working directory `/` and its output in the log. Resolves
 * when it feeds, and rejects with its error if it fails to.
 */
export async function startDaemon(args: readonly string[], logPath: string): Promise<Started> {
  makeLogDirectory(logPath);
  const log = openSync(logPath, 'a', 0o600);
  const program = process.argv[1] ?? '';
  const child = spawn(process.execPath, [program, ...args], {
    detached: true,
    cwd: '/',
    env: { ...process.env, ...launchVariables() },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  try {
    return await whenReady(child, `see ${logPath}`);
  } finally {
    child.unref();
    if (child.connected) child.disconnect();
  }
}

/**
 * Starts this program again in the foreground, as a child in the session of this process. Resolves when it feeds, and
 * rejects with its error if it fails to. `onStart` gets the process.
 */
export async function startSuccessor(
  args: readonly string[],
  variables: Record<string, string>,
  onStart: (child: ChildProcess) => void,
): Promise<ChildProcess> {
  const child = spawn(process.execPath, [process.argv[1] ?? '', ...args], {
    env: { ...process.env, ...variables },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  onStart(child);
  await whenReady(child, 'see its messages');
  return child;
}

/** Resolves when a feeder feeds, and rejects with its error if it fails to. */
async function whenReady(child: ChildProcess, advice: string): Promise<Started> {
  const message = await firstMessage(child, advice);
  if ('failed' in message) throw new RqError(message.failed.code, message.failed.message);
  return message;
}

async function firstMessage(child: ChildProcess, advice: string): Promise<Message> {
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const result = signal ?? `exit status ${code}`;
      reject(new RqError('IO', `cannot start the feeder: the process ended with ${result}; ${advice}`));
    });
  });
}

/** Whether this process was started by `startDaemon`, in a session of its own, and not by `startSuccessor`. */
export function isDaemon(): boolean {
  return process.send !== undefined && isSessionLeader();
}

/** Sets up this process as a daemon. */
export function becomeDaemon(): void {
  closeInheritedDescriptors();
}

/** Gives the group access to all files that this process and its runner create in a queue of a group. */
export function allowGroupAccess(): void {
  process.umask(process.umask() & ~0o070);
}

/** Reports to the feeder or command that started this process that it feeds, or why it fails to, and disconnects. */
export function reportToParent(outcome: { readonly warnings: readonly string[] } | { readonly error: unknown }): void {
  if (process.send === undefined || !process.connected) return;
  process.send('error' in outcome ? failure(outcome.error) : { pid: process.pid, ...outcome }, () => {
    // An error of `send` is ignored: a feeder does not need its parent.
    if (process.connected) process.disconnect();
  });
}

function failure(error: unknown): Message {
  return { failed: { code: error instanceof RqError ? error.code : 'IO', message: errorMessage(error) } };
}
