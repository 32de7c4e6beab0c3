import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorCode, errorMessage, RqError } from '../job/errors.ts';

type Message = { readonly ready: number } | { readonly failed: { readonly code: ErrorCode; readonly message: string } };

/** A daemon's file mode mask. */
const UMASK = 0o022;

/**
 * Starts this program as a daemon: a session of its own, working directory `/`, stdio to the log. Resolves with its
 * pid once it feeds; rejects with its error if it does not.
 */
export async function startDaemon(words: readonly string[], logPath: string): Promise<number> {
  mkdirSync(dirname(logPath), { recursive: true, mode: 0o700 });
  const log = openSync(logPath, 'a', 0o600);
  const program = process.argv[1] ?? '';
  const child = spawn(process.execPath, [program, ...words], {
    detached: true,
    cwd: '/',
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
    child.once('exit', (code, signal) =>
      reject(new RqError('IO', `cannot start the feeder: it ended with ${code ?? signal}; see ${logPath}`)),
    );
  });
}

/** Whether this process was started by `startDaemon`. */
export function isDaemon(): boolean {
  return process.send !== undefined;
}

/** What a daemon does first. */
export function becomeDaemon(): void {
  process.umask(UMASK);
}

/** Tells the parent that the daemon feeds, or why it does not, and lets go of it. */
export function tellParent(outcome: 'ready' | { readonly error: unknown }): void {
  if (process.send === undefined || !process.connected) return;
  const message: Message =
    outcome === 'ready'
      ? { ready: process.pid }
      : {
          failed: {
            code: outcome.error instanceof RqError ? outcome.error.code : 'IO',
            message: errorMessage(outcome.error),
          },
        };
  // The parent may be gone; the daemon goes on all the same.
  process.send(message, () => {
    if (process.connected) process.disconnect();
  });
}
