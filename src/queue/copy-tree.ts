import { constants, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, symlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode } from '../job/errors.ts';

/** Names are bytes, which need not be text: each of them as one character. */
const BYTES = 'latin1';
/** Who copies a program is not who made it: it is not to run as the copy's owner. */
const FILE_MODE = 0o777;
const DIRECTORY_MODE = 0o7777;

interface Paths {
  readonly from: Buffer;
  readonly to: Buffer;
}

/**
 * Copies a file, a link, or a directory with all that is in it, with modes and times. Somebody may be at work there: what
 * vanishes meanwhile is left out, and so are sockets, pipes and devices. A relative link that leads out of `within` is
 * made absolute. False where there is nothing to copy; throws EEXIST where something has the target's name.
 */
export async function copyTree(source: string, target: string, within: string): Promise<boolean> {
  const stats = await unlessGone(lstat(source));
  if (stats?.isDirectory() === true) await refuseCopyOfItself(source, target);
  return await copyEntry({ from: Buffer.from(source), to: Buffer.from(target) }, Buffer.from(within).toString(BYTES));
}

async function refuseCopyOfItself(source: string, target: string): Promise<void> {
  const place = await realpath(dirname(target));
  if (isIn(place, await realpath(source))) throw new Error(`it cannot be copied to ${place}, which is in it`);
}

async function copyEntry(paths: Paths, within: string): Promise<boolean> {
  const stats = await unlessGone(lstat(paths.from));
  if (stats?.isDirectory() === true) return await copyDirectory(paths, stats, within);
  if (stats?.isSymbolicLink() === true) return await copyLink(paths, within);
  return stats?.isFile() === true && (await copyContents(paths, stats));
}

async function copyDirectory({ from, to }: Paths, stats: Stats, within: string): Promise<boolean> {
  const names = await unlessGone(readdir(from, { encoding: 'buffer' }));
  if (names === undefined) return false;
  // Whatever mode it is to have: what is in it has to be written.
  await mkdir(to, { mode: 0o700 });
  for (const name of names) await copyEntry({ from: entry(from, name), to: entry(to, name) }, within);
  await utimes(to, stats.atime, stats.mtime);
  await chmod(to, stats.mode & DIRECTORY_MODE);
  return true;
}

async function copyLink({ from, to }: Paths, within: string): Promise<boolean> {
  const text = (await unlessGone(readlink(from, { encoding: 'buffer' })))?.toString(BYTES);
  if (text === undefined) return false;
  const leadsTo = resolve(dirname(from.toString(BYTES)), text);
  const isKept = text.startsWith('/') || isIn(leadsTo, within);
  await symlink(Buffer.from(isKept ? text : leadsTo, BYTES), to);
  return true;
}

async function copyContents({ from, to }: Paths, stats: Stats): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (error) {
    if (!isGone(error)) throw error;
    // Throws if it is the target's directory that is gone.
    await lstat(Buffer.from(dirname(to.toString(BYTES)), BYTES));
    return false;
  }
  await utimes(to, stats.atime, stats.mtime);
  await chmod(to, stats.mode & FILE_MODE);
  return true;
}

function entry(directory: Buffer, name: Buffer): Buffer {
  return Buffer.from(join(directory.toString(BYTES), name.toString(BYTES)), BYTES);
}

function isIn(path: string, directory: string): boolean {
  return path === directory || path.startsWith(join(directory, '/'));
}

async function unlessGone<Found>(look: Promise<Found>): Promise<Found | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** ESTALE: another host removed it. ENOTDIR: something else has its name now. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESTALE', 'ENOTDIR'].includes(errorCode(error) ?? '');
}
