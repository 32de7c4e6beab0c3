import { createHash } from 'node:crypto';
import { readFileSync, realpathSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, RqError } from '../job/errors.ts';
import { bootId, pidNamespace } from '../job/host.ts';
import { processStartTime } from '../job/process.ts';
import { ensurePrivateDirectory, runtimeRoot } from '../job/runtime-directory.ts';

/** Identifies a process of this host. */
interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot. A pid and its start time identify a process until the next boot. */
  readonly startTime: number;
  /** The scope in which the pid is valid: the boot and the pid namespace (containers have their own). */
  readonly scope: string;
}

interface Note extends ProcessIdentity {
  readonly generation: number;
  /** Identifies the directory; a different one may now be at the same path. */
  readonly directory: string;
}

/**
 * A note on local disk of the process of this host that holds a directory's lease. It costs no round trip. Because of
 * it, other processes of the host detect at once that the holder was killed, and need not wait for the stale time. The
 * note is only a hint: a note that cannot be written or read, or that another user or machine wrote, has no effect.
 */
export class LocalHolder {
  /** To resolve the directory's path costs round trips if it is on NFS. */
  private path: string | undefined;
  /** If this is out of date, the note has no effect. */
  private directoryIdentity: string | undefined;
  private identity: ProcessIdentity | undefined;

  constructor(private readonly directory: string) {}

  /** Call it before the acquisition, so that the note follows the acquisition at once. */
  prepare(): void {
    tryOperation(() => this.notePath());
    tryOperation(() => this.ownIdentity());
    this.directoryIdentity ??= this.readDirectoryIdentity();
  }

  /** Notes that this process holds a generation. Call it after the acquisition: the note may be another process's. */
  note(generation: number): void {
    const { directoryIdentity: directory } = this;
    const text = (): string => JSON.stringify({ generation, directory, ...this.ownIdentity() });
    tryOperation(() => writeFileSync(this.notePath(), text(), { mode: 0o600 }));
  }

  /** Call it after the release: until then the note shows that this process was killed. */
  erase(generation: number): void {
    const note = this.read();
    if (note?.generation === generation && note.pid === process.pid) tryOperation(() => unlinkSync(this.notePath()));
  }

  /** The pid of the process of this host that holds a generation, and whether it still runs. */
  of(generation: number): { pid: number; isAlive: boolean } | undefined {
    const note = this.read();
    if (note === undefined || note.generation !== generation || note.scope !== this.ownIdentity().scope) {
      return undefined;
    }
    if (note.directory !== this.readDirectoryIdentity()) return undefined;
    return { pid: note.pid, isAlive: processStartTime(note.pid) === note.startTime };
  }

  private read(): Note | undefined {
    return tryOperation(() => parseNote(readFileSync(this.notePath(), 'utf8')));
  }

  /** The inode and the time of its creation (0 on NFS), because file systems use an inode number again. */
  private readDirectoryIdentity(): string | undefined {
    return tryOperation(() => {
      const { ino, birthtimeNs } = statSync(this.directory, { bigint: true });
      return `${ino}:${birthtimeNs}`;
    });
  }

  private notePath(): string {
    if (this.path !== undefined) return this.path;
    const root = runtimeRoot();
    ensurePrivateDirectory(root);
    const name = createHash('sha256').update(realpathSync(this.directory)).digest('hex').slice(0, 16);
    this.path = join(root, `${name}.lease`);
    return this.path;
  }

  private ownIdentity(): ProcessIdentity {
    this.identity ??= {
      pid: process.pid,
      startTime: processStartTime(process.pid) ?? 0,
      scope: `${bootId()} ${pidNamespace()}`,
    };
    return this.identity;
  }
}

function parseNote(text: string): Note | undefined {
  try {
    const note = JSON.parse(text) as Partial<Note> | null;
    const isNote =
      typeof note?.generation === 'number' && typeof note.pid === 'number' && typeof note.directory === 'string';
    return isNote ? (note as Note) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined if the file system, or the owner of the runtime directory, does not allow the operation. */
function tryOperation<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof RqError)) throw error;
    return undefined;
  }
}
