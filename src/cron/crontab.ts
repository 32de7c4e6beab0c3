import { join } from 'node:path';
import { RqError } from '../job/errors.ts';
import { runProgram } from '../job/run-program.ts';
import { ensurePrivateDirectory, runtimeRoot } from '../job/runtime-directory.ts';
import { withLocalLock } from '../lease/local-lock.ts';

/** Wording for the errors of an access to the crontab. */
interface CrontabAccess {
  /** How an error message begins: `cannot add … to the crontab`. */
  readonly action: string;
  /** Advice for a host without crontab(1). */
  readonly instead: string;
}

/** A change to this user's crontab. */
export interface CrontabChange extends CrontabAccess {
  /** Returns the new crontab. Must be idempotent. */
  readonly change: (crontab: Uint8Array) => Uint8Array;
}

const TIMEOUT_MS = 60_000;
/** Messages of `crontab -l` for a user without a crontab: Vixie cron, cronie and dcron; busybox. */
const NO_CRONTAB = /no crontab for |can't open '[^/']+': No such file or directory/;

/**
 * Changes the crontab with crontab(1). A lock keeps other rq processes out. An unchanged crontab is not written. Returns
 * the previous crontab. Throws IO if crontab(1) is missing or fails, or if `crontab -l` does not show the change.
 */
export async function changeCrontab(task: CrontabChange): Promise<{ before: Uint8Array; isChanged: boolean }> {
  const root = runtimeRoot();
  ensurePrivateDirectory(root);
  // `writeCrontab` detects a change of another process, if both got the lock.
  return await withLocalLock(join(root, 'crontab'), TIMEOUT_MS, async () => {
    const before = await readCrontab(task);
    const after = task.change(before);
    const isChanged = !isSame(after, before);
    if (isChanged) await writeCrontab(after, task);
    return { before, isChanged };
  });
}

/** Returns the crontab, empty if the user has none. Throws IO if crontab(1) is missing or fails. */
export async function readCrontab(access: CrontabAccess): Promise<Uint8Array> {
  const { isDone, stdout, failure } = await runCrontab('-l', new Uint8Array(), access);
  if (isDone) return stdout;
  // Any other failure must not look like an empty crontab, which would then overwrite the user's.
  if (NO_CRONTAB.test(failure) && stdout.length === 0) return new Uint8Array();
  throw new RqError('IO', `${access.action}: "crontab -l" failed: ${failure}`);
}

async function writeCrontab(content: Uint8Array, task: CrontabChange): Promise<void> {
  const { isDone, failure } = await runCrontab('-', content, task);
  if (!isDone) throw new RqError('IO', `${task.action}: "crontab -" failed: ${failure}`);
  const written = await readCrontab(task);
  if (isSame(task.change(written), written)) return;
  throw new RqError(
    'IO',
    `${task.action}: "crontab -" succeeded, but "crontab -l" does not show the change; try again`,
  );
}

interface CrontabResult {
  readonly isDone: boolean;
  readonly stdout: Uint8Array;
  /** The first line of stderr, or how the process ended. */
  readonly failure: string;
}

async function runCrontab(argument: '-l' | '-', input: Uint8Array, access: CrontabAccess): Promise<CrontabResult> {
  const result = await runProgram('crontab', [argument], {
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    timeout: TIMEOUT_MS,
    // English messages; without the header lines that Debian's crontab -l prints (crontab(1), CRONTAB_NOHEADER).
    env: { LC_ALL: 'C', CRONTAB_NOHEADER: 'Y' },
  });
  if (result.code === 'ENOENT') {
    throw new RqError('IO', `${access.action}: this host has no crontab program; ${access.instead}`);
  }
  const message = Buffer.from(result.stderr).toString().trim() || (result.shortMessage ?? '');
  return { isDone: !result.failed, stdout: result.stdout, failure: message.split('\n')[0] ?? '' };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
