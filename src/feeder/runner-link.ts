import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { errorMessage, RqError } from '../job/errors.ts';
import type { AttemptKey, RunningJob } from '../job/job.ts';
import { ownEnvironment } from '../job/process.ts';
import type { FeederEvents } from '../log/events.ts';
import type { AttemptEnd, AttemptStart } from '../queue/exchange.ts';
import { storedPath } from '../queue/stored-files.ts';
import { RunnerClient } from '../runner/client.ts';
import { launchRunner } from '../runner/launch.ts';
import type { KnownAttempt } from '../runner/protocol.ts';
import { nameOf } from './attempts.ts';
import { jobEnvironment } from './job-environment.ts';
import { captureLogin, type LoginState, profileStamp } from './login-shell.ts';

/** From the first signal to the last, when jobs are killed. */
const GRACE_MS = 10_000;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';
/** How often the profiles of the login shell are looked at. */
const PROFILES_MS = 60_000;
/** Of a capture that failed: no stamp, so that it is tried again. */
const UNKNOWN_PROFILES = 'unknown';

export type SpawnOutcome =
  | { readonly kind: 'started'; readonly start: AttemptStart }
  /** It ended already, or will be told by the runner's list. */
  | { readonly kind: 'untold' }
  /** It was not started, and may be another time; `hindrance` is what of this host stood in the way. */
  | { readonly kind: 'unstarted'; readonly hindrance?: unknown }
  /** The runner will never start it. */
  | { readonly kind: 'refused'; readonly end: AttemptEnd };

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
  private login: LoginState = { environment: {}, startupFile: undefined };
  private held: AttemptEnd[] | undefined;
  /** Those that are to end and have not. */
  private readonly killing = new Map<string, AttemptKey>();
  private hello = { boot: '', journal: '', pid: 0 };
  private profiles = '';
  private profilesMs = 0;

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
    const client = await RunnerClient.connect({
      directory: this.runtimeDirectory,
      onExit: (exit) => {
        this.killing.delete(nameOf(exit));
        if (this.held === undefined) this.onExit(exit);
        else this.held.push(exit);
      },
      onDisconnect: (reason) => this.lose(reason),
    });
    try {
      this.ahead = await slotsOf(client, this.slots);
      this.profiles = '';
      await this.refreshLogin(client);
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
      this.lose(error);
      throw error;
    }
  }

  /**
   * What `list` gave has been taken over: hands on the exits that came meanwhile, and all further ones at once. A runner
   * that was killed took the grace times along, so what was asked to end is asked again.
   */
  deliver(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const exit of held) this.onExit(exit);
    for (const key of this.killing.values()) void this.kill(key);
  }

  /** Hands a claimed job to the runner. Never rejects: a runner that does not answer makes the link lost. */
  async spawn(job: RunningJob): Promise<SpawnOutcome> {
    try {
      const { client } = this;
      if (client !== undefined) await this.refreshLogin(client);
      // What a runner had not been given when it was lost has gone back to the queue meanwhile.
      if (client === undefined || client !== this.client) return { kind: 'untold' };
      const { environment } = this.login;
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
        this.lose(error);
        return { kind: 'unstarted', hindrance: error };
      }
      // A request of ours that is too long leaves the connection as it was; a line of the runner's would have ended it.
      const isRefused = code === 'INVALID' || (code === 'TOO_LONG' && !this.isLost);
      if (isRefused) return { kind: 'refused', end: this.refusedEnd(job, error) };
      this.lose(error);
      return { kind: 'untold' };
    }
  }

  /** Tells the runner that ends are recorded, so that it may forget them. */
  acknowledge(keys: readonly AttemptKey[]): void {
    const plain = keys.map(({ jid, attempt }) => ({ jid, attempt }));
    this.client?.ack(plain).catch((error: unknown) => this.lose(error));
  }

  /** Takes back jobs that wait at the runner: they become 'unstarted'. What has begun goes on. */
  cancel(keys: readonly AttemptKey[]): void {
    if (this.ahead > 0) this.client?.cancel(keys).catch((error: unknown) => this.lose(error));
  }

  /**
   * TERM to the whole process group of an attempt, KILL after the grace time; once more if the runner is lost meanwhile.
   * False where no signal is known to have reached it: it had ended by itself, never began, or may not be signalled.
   */
  async kill({ jid, attempt }: AttemptKey): Promise<boolean> {
    const name = nameOf({ jid, attempt });
    this.killing.set(name, { jid, attempt });
    try {
      await this.connected.signal({ jid, attempt, signal: 'SIGTERM', graceMs: GRACE_MS });
      return true;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'FAILED') this.events.killFailed({ jid, attempt }, error);
      if (code === 'FAILED' || code === 'NO_ATTEMPT') this.killing.delete(name);
      else this.lose(error);
      return false;
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

  private lose(reason: unknown): void {
    if (this.client === undefined) return;
    this.reason = reason;
    this.client.close();
    this.client = undefined;
    this.onLost();
  }

  /** Captures the login shell's state, again when a profile has changed, and makes it the base of every job. */
  private async refreshLogin(client: RunnerClient): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (this.profiles !== '' && nowMs - this.profilesMs < PROFILES_MS) return;
    this.profilesMs = nowMs;
    const stamp = profileStamp();
    if (stamp === this.profiles) return;
    this.profiles = stamp;
    try {
      this.login = await captureLogin(this.runtimeDirectory);
    } catch (error) {
      this.events.loginFailed(error);
      this.profiles = UNKNOWN_PROFILES;
      this.login = { environment: ownEnvironment(), startupFile: undefined };
    }
    const { environment, startupFile } = this.login;
    await client.environment(startupFile === undefined ? environment : { ...environment, BASH_ENV: startupFile });
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
