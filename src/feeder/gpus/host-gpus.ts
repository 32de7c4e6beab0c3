import type { FeederEvents } from '../../log/events.ts';
import { findGpus, type Vendor } from './find-gpus.ts';
import type { GpuChoice } from './gpu-choice.ts';
import { GpuReservations } from './gpu-reservations.ts';
import { type SelectedGpus, selectGpus } from './select-gpus.ts';

/** How often the feeder tries to get the GPUs that another queue uses. */
const RETRY_MS = 30_000;

export interface HostGpusOptions {
  readonly choice: GpuChoice;
  readonly runtimeDirectory: string;
  readonly queueDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** The GPUs that a feeder gives to jobs: those that the user chose or that were found, less those that other queues use. */
export class HostGpus {
  /** Called when `devices` has changed. */
  onChange: () => void = () => undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  private constructor(
    readonly vendor: Vendor,
    private readonly reservations: GpuReservations,
  ) {}

  /**
   * Finds and reserves the GPUs. `gpus` is undefined if rq leaves the GPUs of the host alone; `warnings` are lines for the
   * user. Throws INVALID_INPUT for GPUs that the host does not have.
   */
  static async reserve(
    options: HostGpusOptions,
  ): Promise<{ readonly gpus: HostGpus | undefined; readonly warnings: readonly string[] }> {
    const { selected, problem } = await select(options);
    const { runtimeDirectory: directory, queueDirectory: queue } = options;
    const reservations = new GpuReservations({ directory, queue }, selected?.devices ?? []);
    await reservations.reserve();
    const warnings = [problem, takenText(reservations.taken)].filter((line) => line !== undefined);
    return { gpus: selected === undefined ? undefined : new HostGpus(selected.vendor, reservations), warnings };
  }

  get devices(): readonly string[] {
    return this.reservations.devices;
  }

  /** Starts to wait for GPUs that other queues use. Idempotent. */
  start(events: FeederEvents, retryMs = RETRY_MS): void {
    if (this.reservations.taken.size === 0 || this.isStopped) return;
    this.timer ??= setTimeout(() => void this.retry(events, retryMs), retryMs).unref();
  }

  /** Idempotent. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async retry(events: FeederEvents, retryMs: number): Promise<void> {
    const before = this.devices.join();
    try {
      await this.reservations.reserve();
    } catch (error) {
      events.gpusNotReserved(error);
    }
    if (this.devices.join() !== before) {
      events.gpusReserved(this.devices);
      this.onChange();
    }
    this.timer = undefined;
    this.start(events, retryMs);
  }
}

async function select({
  choice,
  environment,
}: HostGpusOptions): Promise<{ selected?: SelectedGpus | undefined; problem?: string | undefined }> {
  if (choice.kind === 'none') return {};
  const found = await findGpus(environment);
  const selected = selectGpus(choice, found);
  if (found.problem === undefined) return { selected };
  const effect = selected === undefined ? 'so this host gives no GPUs to jobs' : 'so the GPUs are used as given';
  return { selected, problem: `cannot find the GPUs of this host: ${found.problem}, ${effect}` };
}

/** One line, whatever the number of GPUs. */
function takenText(taken: ReadonlyMap<string, string>): string | undefined {
  if (taken.size === 0) return undefined;
  const queues = [...new Set(taken.values())].join(' and ');
  const names = [...taken.keys()].join(', ');
  return `the queue ${queues} uses the GPUs ${names} of this host, so this feeder does not give them to jobs; start both feeders with --gpus LIST to divide the GPUs`;
}
