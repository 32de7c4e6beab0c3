import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import { runtimeRoot } from '../../job/runtime-directory.ts';
import type { Identity } from '../../queue/identity.ts';
import type { Queue } from '../../queue/open.ts';

/** The file `queue` of a runtime directory: which queue it belongs to. */
export interface QueueRecord {
  readonly id: string;
  /** The name under which this host feeds, and whether RQ_HOST gave it. */
  readonly host: string;
  readonly isNamed: boolean;
  /** The real path, the device and the inode of the database when a feeder last started. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
}

const NAME = 'queue';
const GENERATION = 'generation';
const GENERATION_DIGITS = 16;

/**
 * The directory of this host for the socket, pid file and journal of the feeder and runner of one queue. Its name is a
 * hash of the host name and of the id of the queue, because the path of a Unix socket may have only 107 bytes (unix(7)).
 */
export function runtimeDirectoryOf(id: string, host = hostName()): string {
  return join(runtimeRoot(), hashOf(`${host}\0${id}`));
}

/**
 * The runtime directory of the queue at a path, found without reading its database. A directory that does not exist is
 * returned if no feeder of this host has fed from the queue.
 */
export function runtimeDirectory(queueDirectory: string): string {
  const host = hostName();
  const found = recordsOf(queueDirectory).find(([, record]) => record.host === host);
  return found?.[0] ?? join(runtimeRoot(), hashOf(`${host}\0${realpathSync(queueDirectory)}`));
}

/** The records of a queue, under any name of this machine: they have the inode of its database. */
export function recordsOf(queueDirectory: string): [directory: string, QueueRecord][] {
  const path = realpathSync(queueDirectory);
  const { dev, ino } = statSync(join(path, 'db'), { bigint: true });
  const records = namesIn(runtimeRoot()).flatMap((name): [string, QueueRecord][] => {
    const directory = join(runtimeRoot(), name);
    const record = readQueueRecord(directory);
    return record === undefined ? [] : [[directory, record]];
  });
  return records.filter(([, { device, inode, path: recorded }]) => {
    return inode === String(ino) && (recorded === path || device === String(dev));
  });
}

/** The record of a runtime directory; undefined if it has none. */
export function readQueueRecord(directory: string): QueueRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(directory, NAME), 'utf8')) as Partial<QueueRecord>;
    return typeof record.id === 'string' && typeof record.host === 'string' ? (record as QueueRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || ['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? ''))
      return undefined;
    throw error;
  }
}

/** Records which queue a runtime directory belongs to. */
export function recordQueue(directory: string, { database }: Queue, { id, inode }: Identity): void {
  const { dev } = statSync(database, { bigint: true });
  const isNamed = (process.env['RQ_HOST'] ?? '') !== '';
  const host = hostName();
  writeRecord(directory, { id, host, isNamed, path: realpathSync(dirname(database)), device: String(dev), inode });
}

function writeRecord(directory: string, record: QueueRecord): void {
  const path = join(directory, NAME);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The generation of the last transaction in which this host recorded results; 0 if there is none. */
export function servedGeneration(directory: string): number {
  try {
    return Number(readFileSync(join(directory, GENERATION), 'latin1')) || 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Keeps that generation. A database that lacks it is an older copy, in which the journal of this host proves nothing. */
export class ServedGeneration {
  private readonly descriptor: number;

  constructor(directory: string) {
    const known = servedGeneration(directory);
    this.descriptor = openSync(join(directory, GENERATION), constants.O_WRONLY | constants.O_CREAT, 0o600);
    // The file has its final size from now on, so that a full disk cannot prevent a later record.
    this.record(known);
  }

  record(generation: number): void {
    writeSync(this.descriptor, String(generation).padStart(GENERATION_DIGITS, '0'), 0, 'latin1');
  }

  close(): void {
    closeSync(this.descriptor);
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errorCode(error) ?? '')) return [];
    throw error;
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
