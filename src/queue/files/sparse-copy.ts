import { constants, type Stats } from 'node:fs';
import { copyFile, type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../../job/errors.ts';

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE, O_NOFOLLOW, O_RDONLY } = constants;
/** The unit of `blocks` in the attributes of a file (stat(2)). */
const UNIT_BYTES = 512;
const CHUNK_BYTES = 1024 * 1024;
const BLOCK_BYTES = 4096;
const ZEROS = Buffer.alloc(CHUNK_BYTES);
/** The errors of a file system that cannot share the blocks of two files (ioctl_ficlone(2)). */
const NOT_CLONED: readonly (string | undefined)[] = ['ENOTSUP', 'EXDEV', 'ENOSYS', 'EINVAL', 'ENOTTY', 'EPERM'];

/** Whether a file uses less space than its size: it has holes, or its file system compresses it. */
export function isSparse({ blocks, size }: Stats): boolean {
  return blocks * UNIT_BYTES < size;
}

/** Copies a regular file to a new path, as a clone if possible. The copy has holes where the original has blocks of zeros. */
export async function copyRegularFile(from: Buffer, to: Buffer, stats: Stats): Promise<void> {
  if (!isSparse(stats)) return await copyFile(from, to, COPYFILE_EXCL | COPYFILE_FICLONE);
  try {
    await copyFile(from, to, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
  } catch (error) {
    if (!NOT_CLONED.includes(errorCode(error))) throw error;
    await copyByHandles(from, to);
  }
}

async function copyByHandles(from: Buffer, to: Buffer): Promise<void> {
  const source = await open(from, O_RDONLY | O_NOFOLLOW);
  try {
    const target = await open(to, 'wx', 0o600);
    try {
      await copyWithHoles(source, target);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Copies the contents of a file to an empty one, without its blocks of zeros. */
export async function copyWithHoles(source: FileHandle, target: FileHandle): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = 0;
  for (;;) {
    const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, position);
    if (bytesRead === 0) break;
    await writeNonZero(target, chunk.subarray(0, bytesRead), position);
    position += bytesRead;
  }
  await target.truncate(position);
}

/** Writes each run of blocks that are not all zeros. */
async function writeNonZero(target: FileHandle, chunk: Buffer, position: number): Promise<void> {
  if (isZero(chunk)) return;
  let start: number | undefined;
  for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
    if (!isZero(chunk.subarray(at, at + BLOCK_BYTES))) {
      start ??= at;
    } else if (start !== undefined) {
      await writeAll(target, chunk.subarray(start, at), position + start);
      start = undefined;
    }
  }
  if (start !== undefined) await writeAll(target, chunk.subarray(start), position + start);
}

async function writeAll(target: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await target.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

function isZero(bytes: Buffer): boolean {
  return ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}
