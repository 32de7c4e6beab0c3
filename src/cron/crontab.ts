import { join } from 'node:path';
import { execa } from 'execa';
import { systemClock } from '../job/clock.ts';
import { RqError } from '../job/errors.ts';
import { ensureRuntimeDirectory, runtimeRoot } from '../job/runtime-directory.ts';
import { acquireLease } from '../lease/lease.ts';

/** A change of this user's crontab. */
export interface CrontabChange {
  /** Gives the new crontab; a second time it must change nothing. */
  readonly change: (crontab: Uint8Array) => Uint8Array;
  /** What is attempted, on what, as the beginning of an error: `cannot add … to the crontab`. */
  readonly attempt: string;
  /** What to do on a host without the program. */
  readonly instead: string;
}

const TIMEOUT_MS = 60_000;
const LEASE_STALE_MS = 5_000;
/** How crontab says that there is none yet: Vixie's, cronie and dcron; busybox. */
const NONE_YET = /no crontab for |can't open '[^/']+': No such file or directory/;

/**
 * Changes the crontab by the program crontab(1), one process of rq after another; a change that changes nothing writes
 * nothing. Gives the crontab as it was. Throws IO where there is no such program, it refuses, or the change is not
 * there afterwards.
 */
export async function changeCrontab(task: CrontabChange): Promise<{ before: Uint8Array; isChanged: boolean }> {
  const directory = join(runtimeRoot(), 'crontab');
  ensureRuntimeDirectory(directory);
  const lease = await acquireLease(directory, {
    clock: systemClock,
    timeoutMs: TIMEOUT_MS,
    staleMs: LEASE_STALE_MS,
  });
  try {
    const before = await readCrontab(task);
    const after = task.change(before);
    const isChanged = !isSame(after, before);
    if (isChanged) await writeCrontab(after, task);
    return { before, isChanged };
  } finally {
    await lease.release();
  }
}

/** The crontab, empty where there is none yet. Throws IO where there is no such program, or it refuses. */
export async function readCrontab(task: Omit<CrontabChange, 'change'>): Promise<Uint8Array> {
  const { isDone, stdout, complaint } = await crontabProgram('-l', new Uint8Array(), task);
  if (isDone) return stdout;
  // What else may be wrong, an empty crontab must not be taken for the user's.
  if (NONE_YET.test(complaint) && stdout.length === 0) return new Uint8Array();
  throw new RqError('IO', `${task.attempt}: "crontab -l" failed: ${complaint}`);
}

async function writeCrontab(content: Uint8Array, task: CrontabChange): Promise<void> {
  const { isDone, complaint } = await crontabProgram('-', content, task);
  if (!isDone) throw new RqError('IO', `${task.attempt}: "crontab -" failed: ${complaint}`);
  const written = await readCrontab(task);
  if (isSame(task.change(written), written)) return;
  throw new RqError(
    'IO',
    `${task.attempt}: crontab took it, but "crontab -l" does not show it; did another program change it? Try again`,
  );
}

interface Answer {
  readonly isDone: boolean;
  readonly stdout: Uint8Array;
  /** The first line of stderr, or how it ended. */
  readonly complaint: string;
}

async function crontabProgram(
  argument: '-l' | '-',
  input: Uint8Array,
  task: Omit<CrontabChange, 'change'>,
): Promise<Answer> {
  const result = await execa('crontab', [argument], {
    input,
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    timeout: TIMEOUT_MS,
    cwd: '/',
    // Messages in English; no header lines that Debian's adds to what it is given (crontab(1), CRONTAB_NOHEADER).
    env: { LC_ALL: 'C', CRONTAB_NOHEADER: 'Y' },
  });
  if (result.code === 'ENOENT') {
    throw new RqError('IO', `${task.attempt}: there is no crontab program on this host; ${task.instead}`);
  }
  const said = Buffer.from(result.stderr).toString().trim() || (result.shortMessage ?? '');
  return { isDone: !result.failed, stdout: result.stdout, complaint: said.split('\n')[0] ?? '' };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
