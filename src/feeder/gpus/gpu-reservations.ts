import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { withLocalLock } from '../../lease/local-lock.ts';
import { isGpuInUse, isHeldByAttempt } from './gpu-use.ts';

const TIMEOUT_MS = 60_000;

/** The file of a GPU: the runtime directory and the queue of the feeder that reserved it last. */
interface GpuRecord {
  readonly directory: string;
  readonly queue: string;
}

/**
 * The GPUs that the feeder of one runtime directory has reserved, so that no other queue of this host gives them to its jobs.
 * A GPU stays reserved while its feeder or its runner lives, or a job with it runs. No process holds a lock for that time:
 * each of them may be killed while the others, and the jobs, live on. The lock admits one process at a time. If a fault of
 * the library admits two, the next call of `reserve` detects that a GPU has another record.
 */
export class GpuReservations {
  /** The GPUs that are reserved. */
  devices: readonly string[] = [];
  /** The other GPUs that were asked for, and the queues that use them. */
  taken: ReadonlyMap<string, string> = new Map();
  private readonly root: string;

  constructor(
    private readonly own: GpuRecord,
    private readonly wanted: readonly string[],
  ) {
    this.root = join(dirname(own.directory), 'gpus');
  }

  /** Reserves the GPUs that no other queue uses, and gives up those that are not wanted any more. */
  async reserve(): Promise<void> {
    // Most hosts have no GPUs, and no directory for them.
    if (this.wanted.length === 0 && !existsSync(this.root)) return;
    await withLocalLock(this.root, TIMEOUT_MS, async () => {
      createDirectory(this.root);
      this.release();
      const devices: string[] = [];
      const taken = new Map<string, string>();
      for (const device of this.wanted) {
        const user = await this.otherUser(device);
        if (user === undefined) devices.push(device);
        else taken.set(device, user);
      }
      for (const device of devices) this.record(device);
      this.devices = devices;
      this.taken = taken;
    });
  }

  /** The other queue that uses a GPU; undefined if there is none. */
  private async otherUser(device: string): Promise<string | undefined> {
    const record = readRecord(this.pathOf(device));
    if (record === undefined || record.directory === this.own.directory) return undefined;
    return (await isGpuInUse(record.directory, device)) ? record.queue : undefined;
  }

  /** A GPU that an attempt still holds stays reserved. */
  private release(): void {
    for (const name of readdirSync(this.root)) {
      const device = decodeURIComponent(name);
      const isOwn = readRecord(join(this.root, name))?.directory === this.own.directory;
      if (!isOwn || this.wanted.includes(device) || isHeldByAttempt(this.own.directory, device)) continue;
      rmSync(join(this.root, name), { force: true });
    }
  }

  private record(device: string): void {
    const path = this.pathOf(device);
    writeFileSync(`${path}.new`, JSON.stringify(this.own), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  private pathOf(device: string): string {
    return join(this.root, encodeURIComponent(device));
  }
}

function createDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** Undefined if there is none, or if its writer was killed. */
function readRecord(path: string): GpuRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<GpuRecord>;
    return typeof record.directory === 'string' && typeof record.queue === 'string' ? (record as GpuRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
