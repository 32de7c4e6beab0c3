import { join } from 'node:path';
import type { Clock } from '../../job/clock.ts';
import { errorMessage, RqError } from '../../job/errors.ts';
import type { AttemptKey, RunningJob } from '../../job/job.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { AttemptEnd, AttemptStart } from '../../queue/exchange/exchange.ts';
import { storedPath } from '../../queue/files/stored-files.ts';
import { RunnerClient } from '../../runner/client.ts';
import { launchRunner } from '../../runner/launch.ts';
import type { KnownAttempt } from '../../runner/protocol/protocol.ts';
import { nameOf } from '../attempts.ts';
import { jobEnvironment } from './job-environment.ts';
import { JobLogin } from './job-login.ts';

/** From the first signal to the last, when jobs are killed. */
const GRACE_MS = 10_000;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

export type SpawnOutcome =
  | { readonly kind: 'started'; readonly start: AttemptStart }
  /** It ended already, or will be told by the runner's list. */
  | { readonly kind: 'untold' }
  /** It was not started, and may be another time; `hindrance` is what of this host stood in the way. */
  | { readonly kind: 'unstarted'; readonly hindrance?: unknown }
  /** The runner will never start it. */
  | { readonly kind: 'refused'; readonly end: AttemptEnd };

/**
 * Whether a signal has reached an attempt that is to end. `missed`: it had ended by itself, never began, or may not be
 * signalled; `unsent`: the runner is lost and will be asked when there is one; `unknown`: the runner did not answer.
 */
export type KillAnswer = 'reached' | 'missed' | 'unsent' | 'unknown';

/** The feeder's end of its runner: started when there is none, connected to again when it is lost. */
export class RunnerLink {
  onExit: (end: AttemptEnd) => void = () => undefined;
  onLost: () => void = () => undefined;
  /** How many jobs more than slots the runner takes, to begin them in their turn. */
  ahead = 0;
  /** Why the link was lost. */
  reason: unknown;
  private readonly queueDirectory: string;
  private readonly runtimeDirectory: string;
  private readonly program: string;
  private readonly slots: number;
  private readonly clock: Clock;
  private readonly events: FeederEvents;
  private client: RunnerClient | undefined;
  private readonly login: JobLogin;
  private held: AttemptEnd[] | undefined;
  /** Spawns that wait for the login, and may be taken back until they are sent. */
  private readonly unsent = new Set<string>();
  private hello = { boot: '', journal: '', pid: 0 };

  constructor(parts: {
    queueDirectory: string;
    runtimeDirectory: string;
    program: string;
    slots: number;
    clock: Clock;
    events: FeederEvents;
  }) {
    this.queueDirectory = parts.queueDirectory;
    this.runtimeDirectory = parts.runtimeDirectory;
    this.program = parts.program;
    this.slots = parts.slots;
    this.clock = parts.clock;
    this.events = parts.events;
    this.login = new JobLogin(parts.runtimeDirectory, parts.clock, parts.events);
  }

  /**
   * Connects to the runner, after starting one if none answers; throws RUNNER. Exits are held back from here on until
   * `deliver`: one may follow the list so closely that the attempts in the list are not taken over yet.
   */
  async connect(): Promise<void> {
    this.client?.close();
    this.client = undefined;
    await launchRunner(this.runtimeDirectory, this.program);
    this.held = [];
    let client: RunnerClient | undefined;
    client = await RunnerClient.connect({
      directory: this.runtimeDirectory,
      onExit: (exit) => (this.held === undefined ? this.onExit(exit) : void this.held.push(exit)),
      onDisconnect: (reason) => this.lose(reason, client),
    });
    try {
      this.ahead = await slotsOf(client, this.slots);
      await this.login.give(client);
    } catch (error) {
      client.close();
      throw error;
    }
    this.hello = client.hello;
    this.client = client;
  }

  get isLost(): boolean {
    return this.client === undefined;
  }

  /** The boot and the journal of the runner that is or was connected, and its pid. */
  get boot(): string {
    return this.hello.boot;
  }

  get journal(): string {
    return this.hello.journal;
  }

  get runnerPid(): number {
    return this.hello.pid;
  }

  async list(): Promise<{ boot: string; journal: string; known: KnownAttempt[] }> {
    try {
      return { boot: this.boot, journal: this.journal, known: await this.connected.list() };
    } catch (error) {
      this.lose(error, this.client);
      throw error;
    }
  }

  /** What `list` gave has been taken over: hands on the exits that came meanwhile, and all further ones at once. */
  deliver(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const exit of held) this.onExit(exit);
  }

  /** Hands a claimed job to the runner. Never rejects: a runner that does not answer makes the link lost. */
  async spawn(job: RunningJob): Promise<SpawnOutcome> {
    const { client } = this;
    const name = nameOf(job);
    try {
      this.unsent.add(name);
      if (client !== undefined) await this.login.refresh(client);
      // What a runner had not been given when it was lost has gone back to the queue meanwhile.
      if (client === undefined || client !== this.client) return { kind: 'untold' };
      if (!this.unsent.delete(name)) return { kind: 'unstarted' };
      const { environment } = this.login.state;
      const directory = this.queueDirectory;
      const { pid, started } = await client.spawn({
        jid: job.jid,
        attempt: job.attempt,
        command: job.command,
        cwd: job.cwd,
        env: jobEnvironment(job, directory, environment['PATH'] ?? DEFAULT_PATH),
        stdin: job.stdin === null ? null : storedPath(directory, 'stdin', job),
        stdout: join(directory, 'stdout', String(job.jid)),
        stderr: join(directory, 'stderr', String(job.jid)),
      });
      if (pid === null) return { kind: 'untold' };
      return { kind: 'started', start: { jid: job.jid, attempt: job.attempt, pid, started } };
    } catch (error) {
      const code = codeOf(error);
      if (code === 'CANCELLED') return { kind: 'unstarted' };
      if (code === 'ATTEMPT_KNOWN') return { kind: 'untold' };
      // What stands in the way is the runner's, not the job's.
      if (code === 'JOURNAL' || code === 'SHUTTING_DOWN' || code === 'FAILED') {
        this.lose(error, client);
        return { kind: 'unstarted', hindrance: error };
      }
      // A request of ours that is too long leaves the connection as it was; a line of the runner's would have ended it.
      const isRefused = code === 'INVALID' || (code === 'TOO_LONG' && !this.isLost);
      if (isRefused) return { kind: 'refused', end: this.refusedEnd(job, error) };
      this.lose(error, client);
      return { kind: 'untold' };
    } finally {
      this.unsent.delete(name);
    }
  }

  /** Tells the runner that ends are recorded, so that it may forget them. */
  acknowledge(keys: readonly AttemptKey[]): void {
    const plain = keys.map(({ jid, attempt }) => ({ jid, attempt }));
    const { client } = this;
    client?.ack(plain).catch((error: unknown) => this.lose(error, client));
  }

  /** Takes back jobs that wait at the runner: they become 'unstarted'. What has begun goes on. */
  cancel(keys: readonly AttemptKey[]): void {
    for (const key of keys) this.unsent.delete(nameOf(key));
    const { client } = this;
    if (this.ahead > 0) client?.cancel(keys).catch((error: unknown) => this.lose(error, client));
  }

  /** TERM to the whole process group of an attempt, KILL after the grace time. Never rejects. */
  async kill({ jid, attempt }: AttemptKey): Promise<KillAnswer> {
    if (this.unsent.delete(nameOf({ jid, attempt }))) return 'missed';
    const { client } = this;
    if (client === undefined) return 'unsent';
    try {
      await client.signal({ jid, attempt, signal: 'SIGTERM', graceMs: GRACE_MS });
      return 'reached';
    } catch (error) {
      const code = codeOf(error);
      if (code === 'NO_ATTEMPT') return 'missed';
      if (code !== 'FAILED') this.lose(error, client);
      else this.events.killFailed({ jid, attempt }, error);
      return code === 'FAILED' ? 'missed' : 'unknown';
    }
  }

  /** Ends the link. The runner ends too if it has nothing to do; else it goes on, for the next feeder. */
  async close(withRunner: boolean): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (client === undefined) return;
    try {
      if (withRunner) await client.shutdown();
    } catch (error) {
      this.reason = error;
    }
    client.close();
  }

  private get connected(): RunnerClient {
    if (this.client !== undefined) return this.client;
    throw new RqError('RUNNER', 'cannot reach the runner: the link to it is lost', { cause: this.reason });
  }

  /** Nothing happens if the link is another by now. */
  private lose(reason: unknown, client: RunnerClient | undefined): void {
    if (client === undefined || client !== this.client) return;
    this.reason = reason;
    client.close();
    this.client = undefined;
    // Until `deliver`, who asks sees the error himself.
    if (this.held === undefined) this.onLost();
  }

  private refusedEnd(job: RunningJob, error: unknown): AttemptEnd {
    const { jid, attempt, started } = job;
    const end = { jid, attempt, started, finished: this.clock.now(), pid: null, elapsed: null };
    return { ...end, exit_status: null, signal: null, reason: errorMessage(error), isLost: false };
  }
}

/** Tells a runner of the slots; gives how many jobs it takes ahead: none, if it is of a version that knows no slots. */
async function slotsOf(client: RunnerClient, slots: number): Promise<number> {
  try {
    return await client.slots(slots);
  } catch (error) {
    if (codeOf(error) === 'UNKNOWN_REQUEST') return 0;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof RqError ? error.facts['code'] : undefined;
}
