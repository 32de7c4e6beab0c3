import type { Clock } from '../../job/clock.ts';
import { errorMessage, RqError } from '../../job/errors.ts';
import type { AttemptKey, ClaimedJob } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd, AttemptStart } from '../../queue/exchange/exchange.ts';
import { RunnerClient } from '../../runner/client.ts';
import { launchRunner } from '../../runner/launch.ts';
import type { ListedAttempt, SlotsReply } from '../../runner/protocol/messages.ts';
import type { HostGpus } from '../gpus/host-gpus.ts';
import type { LaunchSettings } from './launch-settings.ts';
import { LoginEnvironment } from './login-environment.ts';
import { spawnRequest } from './spawn-request.ts';

/** How often the profiles of the login shell are checked for changes. No job waits for that. */
const PROFILE_CHECK_MS = 60_000;

export type SpawnOutcome =
  | { readonly kind: 'started'; readonly start: AttemptStart }
  /** The attempt has ended already, or the runner's list will show its state. */
  | { readonly kind: 'unreported' }
  /** The attempt was not started, but another try may succeed. `hostError` is a failure of this host that prevented it. */
  | { readonly kind: 'not-started'; readonly hostError?: unknown }
  /** The runner will never start it, or its directory does not respond. */
  | { readonly kind: 'refused'; readonly end: AttemptEnd };

/**
 * The result of a kill. `signalled`: the attempt got the signal; `not-running`: it had ended, never started, or may not be
 * signalled; `not-sent`: there is no runner, and the kill is sent again to the next one; `unknown`: no reply.
 */
export type KillReply = 'signalled' | 'not-running' | 'not-sent' | 'unknown';

interface RunnerLinkOptions {
  readonly queueDirectory: string;
  readonly runtimeDirectory: string;
  readonly program: string;
  readonly slots: number;
  /** The time between SIGTERM and SIGKILL at a limit. */
  readonly killGraceMs: number;
  /** Undefined if rq leaves the GPUs of the host alone. */
  readonly gpus: HostGpus | undefined;
  readonly launch: LaunchSettings;
  readonly clock: Clock;
  readonly events: FeederEvents;
}

/** The feeder's connection to its runner. It starts a runner if there is none. */
export class RunnerLink {
  onExit: (end: AttemptEnd) => void = () => undefined;
  onLost: () => void = () => undefined;
  /** The number of jobs that the runner accepts in addition to the slots. They wait there for a slot. */
  maxAhead = 0;
  /** Whether the runner records the GPUs of attempts, so that the next feeder knows them. */
  keepsDevices = false;
  /** The runner that is or was connected. */
  runner = { boot: '', journal: '', pid: 0 };
  /** The error that ended the connection. */
  lossReason: unknown;
  readonly login: LoginEnvironment;
  private client: RunnerClient | undefined;
  private profileTimer: NodeJS.Timeout | undefined;
  /** The exits since `connect`, until `deliverExits`. */
  private heldExits: AttemptEnd[] | undefined;

  constructor(private readonly options: RunnerLinkOptions) {
    this.login = new LoginEnvironment(options);
  }

  /**
   * Connects to the runner, and starts one if none answers. Throws RUNNER. Holds exits back until `deliverExits`: an exit
   * can follow the list so closely that the attempts in the list are not yet adopted.
   */
  async connect(): Promise<void> {
    const { runtimeDirectory, program, slots, gpus, events } = this.options;
    this.client?.close();
    this.client = undefined;
    await launchRunner(runtimeDirectory, program);
    this.heldExits = [];
    let client: RunnerClient | undefined;
    client = await RunnerClient.connect({
      directory: runtimeDirectory,
      onExit: (exit) => (this.heldExits === undefined ? this.onExit(exit) : void this.heldExits.push(exit)),
      onDisconnect: (reason) => this.disconnect(reason, client),
    });
    try {
      const { ahead, keepsDevices } = await sendSlots(client, slots);
      this.maxAhead = ahead;
      this.keepsDevices = keepsDevices;
      if (!keepsDevices && gpus !== undefined) events.runnerForgetsGpus();
      await this.login.sendTo(client);
    } catch (error) {
      client.close();
      throw error;
    }
    this.runner = client.hello;
    this.client = client;
    this.profileTimer ??= setInterval(() => this.refreshLogin(), PROFILE_CHECK_MS).unref();
  }

  get isLost(): boolean {
    return this.client === undefined;
  }

  /** Returns the attempts that run or whose ends are not acknowledged. */
  async list(): Promise<ListedAttempt[]> {
    const { client } = this;
    if (client === undefined) {
      throw new RqError('RUNNER', 'cannot list the attempts of the runner: the connection is lost', {
        cause: this.lossReason,
      });
    }
    try {
      return await client.list();
    } catch (error) {
      this.disconnect(error, client);
      throw error;
    }
  }

  /** Delivers the exits that were held back, and later ones without delay. To be called when the list is processed. */
  deliverExits(): void {
    const held = this.heldExits ?? [];
    this.heldExits = undefined;
    for (const exit of held) this.onExit(exit);
  }

  /** Sends a claimed job to the runner. Never rejects: a runner that does not reply is lost. */
  async spawn(job: ClaimedJob): Promise<SpawnOutcome> {
    const { client } = this;
    const { jid, claim } = job;
    if (client === undefined) return { kind: 'unreported' };
    try {
      const { environment } = this.login.state;
      const { pid, started } = await client.spawn(spawnRequest(job, { ...this.options, login: environment }));
      if (pid === null) return { kind: 'unreported' };
      return { kind: 'started', start: { jid, claim, pid, started, devices: job.devices } };
    } catch (error) {
      return this.spawnFailure(job, error, client);
    }
  }

  /** Lets the runner forget ends that the database has recorded. */
  acknowledge(keys: readonly AttemptKey[]): void {
    const { client } = this;
    const plain = keys.map(({ jid, claim }) => ({ jid, claim }));
    client?.ack(plain).catch((error: unknown) => this.disconnect(error, client));
  }

  /** Cancels jobs that wait at the runner: their spawns give `not-started`. Those that have started continue. */
  cancel(keys: readonly AttemptKey[]): void {
    const { client } = this;
    if (this.maxAhead > 0) client?.cancel(keys).catch((error: unknown) => this.disconnect(error, client));
  }

  /** Stops all processes of an attempt until `resume`. Never rejects. */
  pause({ jid, claim }: AttemptKey): void {
    void this.request((client) => client.pause({ jid, claim }));
  }

  /** Lets all processes of an attempt continue. Never rejects. */
  resume({ jid, claim }: AttemptKey): void {
    void this.request((client) => client.resume({ jid, claim }));
  }

  /** Sends a signal to all processes of an attempt. False if there is no runner that could. Never rejects. */
  async signal({ jid, claim }: AttemptKey, signal: string, order: number): Promise<boolean> {
    return await this.request((client) => client.signal({ jid, claim, signal: signal as NodeJS.Signals, order }));
  }

  /** False if there is no runner that could perform the request. An attempt that has ended is no failure. */
  private async request(send: (client: RunnerClient) => Promise<unknown>): Promise<boolean> {
    const { client } = this;
    if (client === undefined) return false;
    try {
      await send(client);
      return true;
    } catch (error) {
      // A runner of an earlier version does not know all requests.
      if (['NO_ATTEMPT', 'UNKNOWN_REQUEST'].includes(String(runnerCode(error)))) return true;
      this.disconnect(error, client);
      return false;
    }
  }

  /** Sends SIGTERM to all processes of an attempt, and SIGKILL after the grace period. Never rejects. */
  async kill({ jid, claim }: AttemptKey, graceMs: number): Promise<KillReply> {
    const { client } = this;
    if (client === undefined) return 'not-sent';
    try {
      await client.signal({ jid, claim, signal: 'SIGTERM', graceMs });
      return 'signalled';
    } catch (error) {
      const code = runnerCode(error);
      if (code === 'NO_ATTEMPT') return 'not-running';
      if (code === 'FAILED') {
        this.options.events.killFailed({ jid, claim }, error);
        return 'not-running';
      }
      this.disconnect(error, client);
      return 'unknown';
    }
  }

  /** Closes the connection. With `shutdownRunner`, a runner without attempts exits; otherwise it waits for a feeder. */
  async close(shutdownRunner: boolean): Promise<void> {
    const { client } = this;
    clearInterval(this.profileTimer);
    this.client = undefined;
    if (client === undefined) return;
    try {
      if (shutdownRunner) await client.shutdown();
    } catch (error) {
      this.lossReason = error;
    }
    client.close();
  }

  private refreshLogin(): void {
    const { client } = this;
    if (client !== undefined) this.login.refresh(client).catch((error: unknown) => this.disconnect(error, client));
  }

  private spawnFailure(job: ClaimedJob, error: unknown, client: RunnerClient | undefined): SpawnOutcome {
    switch (runnerCode(error)) {
      case 'CANCELLED':
        return { kind: 'not-started' };
      case 'NOT_READY':
        // The file system of the job does not respond on this host. Other jobs may run.
        return { kind: 'refused', end: { ...this.refusedEnd(job, error), not_started: 'hung' } };
      case 'ATTEMPT_KNOWN':
        return { kind: 'unreported' };
      case 'JOURNAL':
      case 'SHUTTING_DOWN':
      case 'FAILED':
        // The cause is the runner, not the job.
        this.disconnect(error, client);
        return { kind: 'not-started', hostError: error };
      case 'INVALID':
        return { kind: 'refused', end: this.refusedEnd(job, error) };
      case 'TOO_LONG':
        // A request that is too long leaves the connection open, while a line of the runner that is too long ends it.
        if (!this.isLost) return { kind: 'refused', end: this.refusedEnd(job, error) };
        return { kind: 'unreported' };
      default:
        this.disconnect(error, client);
        return { kind: 'unreported' };
    }
  }

  /** Ends the connection, unless there is another one by now. */
  private disconnect(reason: unknown, client: RunnerClient | undefined): void {
    if (client === undefined || client !== this.client) return;
    this.lossReason = reason;
    client.close();
    this.client = undefined;
    // Until `deliverExits`, the caller gets the error itself.
    if (this.heldExits === undefined) this.onLost();
  }

  private refusedEnd({ jid, claim, started }: ClaimedJob, error: unknown): AttemptEnd {
    const end = { jid, claim, started, finished: this.options.clock.now(), pid: null, elapsed: null };
    return { ...end, exit_status: null, signal: null, reason: errorMessage(error), isLost: false };
  }
}

/** Tells the runner the number of slots. A version of the runner without slots accepts no job in addition to them. */
async function sendSlots(client: RunnerClient, slots: number): Promise<SlotsReply> {
  try {
    return await client.slots(slots);
  } catch (error) {
    if (runnerCode(error) === 'UNKNOWN_REQUEST') return { ahead: 0, keepsDevices: false };
    throw error;
  }
}

/** The code of the runner protocol in an error of the client. */
function runnerCode(error: unknown): unknown {
  return error instanceof RqError ? error.facts['code'] : undefined;
}
