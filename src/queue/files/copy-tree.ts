import type { Stats } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readlink, realpath, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { copyRegularFile } from './sparse-copy.ts';

/** Names are bytes and need not be UTF-8. This encoding maps each byte to one character. */
const BYTES = 'latin1';
/** Without the set-user-id bit: the copy belongs to another user than the original. */
const FILE_MODE = 0o777;
const DIRECTORY_MODE = 0o7777;
const MAX_TRIES = 10;

export interface CopyOptions {
  /** A relative link that leads out of this directory becomes absolute in the copy. */
  readonly within: string;
  /** Whether entries may disappear during the copy. They are then left out; otherwise this is an error. */
  readonly isLive: boolean;
}

interface Paths {
  readonly from: Buffer;
  readonly to: Buffer;
}

/**
 * Copies a file, a link or a whole directory, with modes, times and holes. Leaves out sockets, pipes and devices. False if there
 * is nothing to copy. Throws EEXIST if the target exists, ENOENT if an entry disappears during the copy.
 */
export async function copyTree(source: string, target: string, { within, isLive }: CopyOptions): Promise<boolean> {
  const stats = await unlessAbsent(source, () => lstat(source));
  if (stats === undefined) return false;
  if (stats.isDirectory()) await refuseCopyOfItself(source, target);
  // Without links in its own path, the target of a relative link can be resolved.
  const from = Buffer.from(join(await realpath(dirname(source)), basename(source)));
  const copy = new Copy(Buffer.from(await realpath(within)).toString(BYTES), isLive);
  return await copy.entry({ from, to: Buffer.from(target) });
}

async function refuseCopyOfItself(source: string, target: string): Promise<void> {
  const parent = await realpath(dirname(target));
  if (isIn(parent, await realpath(source))) throw new Error(`cannot copy a directory into itself (${parent})`);
}

class Copy {
  constructor(
    private readonly within: string,
    private readonly isLive: boolean,
  ) {}

  async entry(paths: Paths): Promise<boolean> {
    const stats = await this.found(paths.from, () => lstat(paths.from));
    if (stats?.isDirectory() === true) return await this.directory(paths, stats);
    if (stats?.isSymbolicLink() === true) return await this.link(paths);
    return stats?.isFile() === true && (await this.contents(paths, stats));
  }

  private async directory({ from, to }: Paths, stats: Stats): Promise<boolean> {
    const names = await this.found(from, () => readdir(from, { encoding: 'buffer' }));
    if (names === undefined) return false;
    // Writable until its entries are copied.
    await mkdir(to, { mode: 0o700 });
    for (const name of names) await this.entry({ from: entryOf(from, name), to: entryOf(to, name) });
    await utimes(to, stats.atime, stats.mtime);
    await chmod(to, stats.mode & DIRECTORY_MODE);
    return true;
  }

  private async link({ from, to }: Paths): Promise<boolean> {
    const text = (await this.found(from, () => readlink(from, { encoding: 'buffer' })))?.toString(BYTES);
    if (text === undefined) return false;
    const leadsTo = resolve(dirname(from.toString(BYTES)), text);
    const isUnchanged = text.startsWith('/') || isIn(leadsTo, this.within);
    await symlink(Buffer.from(isUnchanged ? text : leadsTo, BYTES), to);
    return true;
  }

  private async contents({ from, to }: Paths, stats: Stats): Promise<boolean> {
    if ((await this.found(from, () => copyRegularFile(from, to, stats).then(() => true))) === undefined) return false;
    await utimes(to, stats.atime, stats.mtime);
    await chmod(to, stats.mode & FILE_MODE);
    return true;
  }

  private async found<Found>(path: Buffer, read: () => Promise<Found>): Promise<Found | undefined> {
    return this.isLive ? await unlessAbsent(path, read) : await read();
  }
}

function entryOf(directory: Buffer, name: Buffer): Buffer {
  return Buffer.from(join(directory.toString(BYTES), name.toString(BYTES)), BYTES);
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(join(directory, '/'));
}

/** Undefined if the call failed because the path disappeared, and not because of its target. */
async function unlessAbsent<Found>(path: Buffer | string, call: () => Promise<Found>): Promise<Found | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (errorCode(error) !== undefined && (await isGone(path))) return undefined;
      // The path may have been created again since.
      if (errorCode(error) !== 'ENOENT' || tries === MAX_TRIES) throw error;
    }
  }
}

async function isGone(path: Buffer | string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');
  }
}
