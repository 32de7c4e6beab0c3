import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorCode, errorMessage, RqError } from '../job/errors.ts';
import { closeInheritedDescriptors } from '../job/process.ts';
import { launchVariables } from './start/launch-settings.ts';

/** The message that a daemon sends to the process that started it. */
type Message = { readonly ready: number } | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

/**
 * Starts this program as a daemon in its own session, with the working directory `/` and its output in the log. Resolves
 * with its pid when it feeds, and rejects with its error if it fails to.
 */
export async function startDaemon(args: readonly string[], logPath: string): Promise<number> {
  mkdirSync(dirname(logPath), { recursive: true, mode: 0o700 });
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
    const message = await firstMessage(child, logPath);
    if ('failed' in message) throw new RqError(message.failed.code, message.failed.message);
    return message.ready;
  } finally {
    child.unref();
    if (child.connected) child.disconnect();
  }
}

async function firstMessage(child: ChildProcess, logPath: string): Promise<Message> {
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Message));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const result = signal ?? `exit status ${code}`;
      reject(new RqError('IO', `cannot start the feeder: the process ended with ${result}; see ${logPath}`));
    });
  });
}

/** Whether this process was started by `startDaemon`. */
export function isDaemon(): boolean {
  return process.send !== undefined;
}

/** Sets up this process as a daemon. */
export function becomeDaemon(): void {
  closeInheritedDescriptors();
}

/** Gives the group access to all files that this process and its runner create in a queue of a group. */
export function allowGroupAccess(): void {
  process.umask(process.umask() & ~0o070);
}

/** Reports to the parent that the daemon feeds, or why it fails to, and disconnects from it. */
export function reportToParent(outcome: 'ready' | { readonly error: unknown }): void {
  if (process.send === undefined || !process.connected) return;
  process.send(outcome === 'ready' ? { ready: process.pid } : failure(outcome.error), () => {
    // An error of `send` is ignored: the daemon does not need its parent.
    if (process.connected) process.disconnect();
  });
}

function failure(error: unknown): Message {
  return { failed: { code: error instanceof RqError ? error.code : 'IO', message: errorMessage(error) } };
}
