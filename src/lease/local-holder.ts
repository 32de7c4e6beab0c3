import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../job/errors.ts';
import { bootId, pidNamespace } from '../job/host.ts';
import { processStartTime } from '../job/process.ts';
import { ensurePrivateDirectory, runtimeRoot } from '../job/runtime-directory.ts';

interface Note {
  readonly generation: number;
  readonly pid: number;
  /** Clock ticks since boot, which with the pid names the process for good. */
  readonly startTime: number;
  /** In which the pid means something: the boot, and the namespace of pids (containers have their own). */
  readonly realm: string;
}

let self: Pick<Note, 'pid' | 'startTime' | 'realm'> | undefined;
/** By directory: to look at a path costs round trips where it is on NFS, and a lease is taken for each transaction. */
const paths = new Map<string, string>();

/**
 * Which process of this machine holds a directory's lease, noted on local disk, where it costs no round trip. So a
 * holder that was killed need not be watched for the stale time by those beside it: that it is gone can be seen. Only
 * a help: of a note that cannot be written or read, or that is of another user or machine, nothing follows.
 */
export class LocalHolder {
  constructor(private readonly directory: string) {}

  /** To be called before the lease is acquired, so that as little as can be lies between that and the note. */
  prepare(): void {
    attempt(() => this.notePath());
    attempt(() => ownFacts());
  }

  /** Notes that this process holds a generation. To be called after it was acquired: else it may be another's. */
  note(generation: number): void {
    attempt(() => writeFileSync(this.notePath(), JSON.stringify({ generation, ...ownFacts() }), { mode: 0o600 }));
  }

  /** To be called after the lease was released: until then it is what tells that this process was killed. */
  erase(generation: number): void {
    const note = this.read();
    if (note?.generation === generation && note.pid === process.pid) {
      attempt(() => unlinkSync(this.notePath()));
    }
  }

  /** The pid of the process of this machine that holds a generation, and whether it still runs. */
  of(generation: number): { pid: number; isAlive: boolean } | undefined {
    const note = this.read();
    if (note === undefined || note.generation !== generation || note.realm !== ownFacts().realm) return undefined;
    return { pid: note.pid, isAlive: processStartTime(note.pid) === note.startTime };
  }

  private read(): Note | undefined {
    return attempt(() => parseNote(readFileSync(this.notePath(), 'utf8')));
  }

  private notePath(): string {
    let path = paths.get(this.directory);
    if (path === undefined) {
      const root = runtimeRoot();
      ensurePrivateDirectory(root);
      const name = createHash('sha256').update(realpathSync(this.directory)).digest('hex').slice(0, 16);
      path = join(root, `${name}.lease`);
      paths.set(this.directory, path);
    }
    return path;
  }
}

function ownFacts(): Pick<Note, 'pid' | 'startTime' | 'realm'> {
  self ??= {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? 0,
    realm: `${bootId()} ${pidNamespace()}`,
  };
  return self;
}

function parseNote(text: string): Note | undefined {
  try {
    const note = JSON.parse(text) as Partial<Note> | null;
    return typeof note?.generation === 'number' && typeof note.pid === 'number' ? (note as Note) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined where the file system, or who owns the runtime directory, does not let it be done. */
function attempt<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof RqError)) throw error;
    return undefined;
  }
}
