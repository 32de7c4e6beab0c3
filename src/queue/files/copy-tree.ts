import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorCode } from '../../job/errors.ts';

/** Names are bytes, which need not be text: each of them as one character. */
const BYTES = 'latin1';
/** Who copies a program is not who made it: it is not to run as the copy's owner. */
const FILE_MODE = 0o777;
const DIRECTORY_MODE = 0o7777;

export interface CopyOptions {
  /** A relative link that leads out of this directory is made absolute. */
  readonly within: string;
  /** Somebody is at work there: what vanishes meanwhile is left out, and is no error. */
  readonly isLive: boolean;
}

interface Paths {
  readonly from: Buffer;
  readonly to: Buffer;
}

/**
 * Copies a file, a link, or a directory with all that is in it but sockets, pipes and devices, with modes and times.
 * False where there is nothing to copy; throws EEXIST where something has the target's name, ENOENT where a part of it
 * vanishes that may not.
 */
export async function copyTree(source: string, target: string, { within, isLive }: CopyOptions): Promise<boolean> {
  const stats = await unlessGone(source, lstat(source));
  if (stats === undefined) return false;
  if (stats.isDirectory()) await refuseCopyOfItself(source, target);
  // Where links lead is told by real paths only.
  const from = Buffer.from(join(await realpath(dirname(source)), basename(source)));
  const copy = new Copy(Buffer.from(await realpath(within)).toString(BYTES), isLive);
  return await copy.entry({ from, to: Buffer.from(target) });
}

async function refuseCopyOfItself(source: string, target: string): Promise<void> {
  const place = await realpath(dirname(target));
  if (isIn(place, await realpath(source))) throw new Error(`it cannot be copied to ${place}, which is in it`);
}

class Copy {
  constructor(
    private readonly within: string,
    private readonly isLive: boolean,
  ) {}

  async entry(paths: Paths): Promise<boolean> {
    const stats = await this.found(paths.from, lstat(paths.from));
    if (stats?.isDirectory() === true) return await this.directory(paths, stats);
    if (stats?.isSymbolicLink() === true) return await this.link(paths);
    return stats?.isFile() === true && (await this.contents(paths, stats));
  }

  private async directory({ from, to }: Paths, stats: Stats): Promise<boolean> {
    const names = await this.found(from, readdir(from, { encoding: 'buffer' }));
    if (names === undefined) return false;
    // Whatever mode it is to have: what is in it has to be written.
    await mkdir(to, { mode: 0o700 });
    for (const name of names) await this.entry({ from: entryOf(from, name), to: entryOf(to, name) });
    await utimes(to, stats.atime, stats.mtime);
    await chmod(to, stats.mode & DIRECTORY_MODE);
    return true;
  }

  private async link({ from, to }: Paths): Promise<boolean> {
    const text = (await this.found(from, readlink(from, { encoding: 'buffer' })))?.toString(BYTES);
    if (text === undefined) return false;
    const leadsTo = resolve(dirname(from.toString(BYTES)), text);
    const isKept = text.startsWith('/') || isIn(leadsTo, this.within);
    await symlink(Buffer.from(isKept ? text : leadsTo, BYTES), to);
    return true;
  }

  private async contents({ from, to }: Paths, stats: Stats): Promise<boolean> {
    const copied = copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).then(() => true);
    if ((await this.found(from, copied)) === undefined) return false;
    await utimes(to, stats.atime, stats.mtime);
    await chmod(to, stats.mode & FILE_MODE);
    return true;
  }

  private async found<Found>(path: Buffer, look: Promise<Found>): Promise<Found | undefined> {
    return this.isLive ? await unlessGone(path, look) : await look;
  }
}

function entryOf(directory: Buffer, name: Buffer): Buffer {
  return Buffer.from(join(directory.toString(BYTES), name.toString(BYTES)), BYTES);
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(join(directory, '/'));
}

/** Undefined where it is the path that is gone, and not what it is copied to. */
async function unlessGone<Found>(path: Buffer | string, look: Promise<Found>): Promise<Found | undefined> {
  try {
    return await look;
  } catch (error) {
    if (errorCode(error) !== undefined && (await isGone(path))) return undefined;
    throw error;
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
