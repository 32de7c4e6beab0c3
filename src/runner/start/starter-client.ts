import { connect, type Socket } from 'node:net';
import { errorMessage, RqError } from '../../job/errors.ts';
import type { Leader } from '../leader.ts';
import type { Environment, ResourceLimits } from '../protocol/fields.ts';
import { endOf, endUnknown, type ObservedEnd } from './attempt-end.ts';
import { FrameReader, FrameWriter } from './frames.ts';
import { type BegunAttempt, BegunAttempts, type StarterObserver } from './starter-observer.ts';

const PROTOCOL_VERSION = '1';
const ANSWER_MS = 10_000;
const CLOSE_MS = 1000;
const ACK_DELAY_MS = 5;
export const UNKNOWN_END = 'the starter was killed, so the exit status is unknown';

export interface StartRequest {
  readonly name: string;
  readonly serial: number;
  readonly weight: number;
  readonly cwd: string;
  /** Paths; null is /dev/null. */
  readonly stdio: readonly [string | null, string | null, string | null];
  readonly revalidate: boolean;
  readonly bashArguments: readonly string[];
  /** Added to the base environment. */
  readonly env: Environment;
  /** The value of RQ_ATTEMPT_ID. */
  readonly id: string;
}

export interface AdoptRequest extends Leader {
  readonly name: string;
  readonly serial: number;
  readonly weight: number;
  readonly id: string;
}

/** The connection to a starter, as docs/starter-protocol.md specifies it. Requests are sent in order. */
export class StarterClient {
  private readonly writer = new FrameWriter();
  private readonly reader = new FrameReader((fields) => this.handle(fields));
  private readonly signals = new Map<string, ((count: number) => void)[]>();
  /** The samples that are requested, the oldest first. */
  private readonly samples: { bytes: Map<string, number>; resolve: (bytes: Map<string, number>) => void }[] = [];
  private readonly begun = new BegunAttempts();
  private observer: StarterObserver = this.begun;
  private hasList = false;
  private isClosed = false;
  private isFlushScheduled = false;
  private ackTimer: NodeJS.Timeout | undefined;
  private failure: unknown;

  private constructor(
    private readonly socket: Socket,
    private readonly onListed: () => void,
    private readonly onLost: (cause: string) => void,
  ) {
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.on('error', (error) => {
      this.failure = error;
    });
    socket.on('close', () => this.handleClose());
  }

  /**
   * Connects and waits for the list of attempts. Undefined if no starter runs, or if it ends at this moment. Throws RUNNER
   * if it does not answer. `onLost` is called if the connection is lost later.
   */
  static connect(path: string, onLost: (cause: string) => void): Promise<StarterClient | undefined> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        client.isClosed = true;
        client.socket.destroy();
        reject(new RqError('RUNNER', `the starter at ${path} did not answer within ${ANSWER_MS / 1000} s; end it`));
      }, ANSWER_MS);
      const settle = (result: StarterClient | undefined): void => {
        clearTimeout(timer);
        resolve(result);
      };
      const client: StarterClient = new StarterClient(
        connect(path),
        () => settle(client),
        (cause) => (client.hasList ? onLost(cause) : settle(undefined)),
      );
      client.send(['hello', PROTOCOL_VERSION]);
    });
  }

  /** Sends all later messages to the observer. Returns the attempts that the starter has begun so far. */
  observe(observer: StarterObserver): ReadonlyMap<string, BegunAttempt> {
    this.observer = observer;
    return this.begun.attempts;
  }

  /** Discards the start records. The starter begins attempts of this connection only after this request. */
  records(journalId: string): void {
    this.send(['records', journalId]);
  }

  /** Replaces the base environment of attempts that begin later. */
  environment(base: Environment): void {
    if (this.send(['environment', ...Object.entries(base).flat()])) return;
    throw new RqError('RUNNER', 'the environment is larger than 4 MiB');
  }

  /** Sets the umask and the soft limits of attempts that begin later. */
  limits(umask: number, limits: ResourceLimits): void {
    this.send(['limits', umask.toString(8), ...Object.entries(limits).flat().map(String)]);
  }

  /** Sets the sum of the weights of attempts that run at once. Others wait. */
  slots(slots: number): void {
    this.send(['slots', Number.isFinite(slots) ? String(slots) : '']);
  }

  /** False if the request is too long. */
  start({ name, serial, weight, cwd, stdio, revalidate, bashArguments, env, id }: StartRequest): boolean {
    const fields = ['start', name, String(serial), String(weight), cwd];
    for (const path of stdio) fields.push(path ?? '');
    fields.push(revalidate ? 'revalidate' : '', String(bashArguments.length), ...bashArguments);
    for (const variable in env) if (variable !== 'RQ_ATTEMPT_ID') fields.push(variable, env[variable] ?? '');
    fields.push('RQ_ATTEMPT_ID', id);
    return this.send(fields);
  }

  /** Takes back an attempt, unless it has begun. */
  cancel(name: string): void {
    this.send(['cancel', name]);
  }

  /** Signals all processes of an attempt. Resolves with their number; 0 if the attempt does not run. */
  signal(name: string, number: number): Promise<number> {
    this.send(['signal', name, String(number)]);
    return this.signalled(name);
  }

  /** As `signal`; sends SIGKILL to the processes that are left after the grace period. */
  end(name: string, number: number, graceMs: number): Promise<number> {
    this.send(['end', name, String(number), String(graceMs)]);
    return this.signalled(name);
  }

  /**
   * The memory of attempts in bytes, by name: without names, resident memory of all attempts, excluding mapped files and shared memory; with
   * names, the proportional set size of these.
   */
  sample(names: readonly string[] = []): Promise<ReadonlyMap<string, number>> {
    this.send(['sample', ...names]);
    return new Promise((resolve) => this.samples.push({ bytes: new Map(), resolve }));
  }

  /** Watches an attempt of an earlier starter. */
  adopt({ name, serial, weight, id, pid, start_time }: AdoptRequest): void {
    this.send(['adopt', name, String(serial), String(weight), id, String(pid), String(start_time ?? 0)]);
  }

  /** Lets the starter forget the ends of attempts. The frame waits for a request, so that the starter wakes up once. */
  acknowledge(names: readonly string[]): void {
    this.writer.add(['ack', ...names]);
    this.ackTimer ??= setTimeout(() => this.flush(), ACK_DELAY_MS);
  }

  /** Sends all requests and disconnects. The starter ends if it has no attempts. */
  close(): Promise<void> {
    this.isClosed = true;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_MS);
      this.flush();
      this.socket.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** False if the frame is too long. The frames of one turn of the event loop are sent with one write. */
  private send(fields: readonly string[]): boolean {
    if (!this.isFlushScheduled) process.nextTick(() => this.flush());
    this.isFlushScheduled = true;
    return this.writer.add(fields);
  }

  private flush(): void {
    this.isFlushScheduled = false;
    clearTimeout(this.ackTimer);
    this.ackTimer = undefined;
    if (!this.writer.isEmpty) this.socket.write(this.writer.take());
  }

  private signalled(name: string): Promise<number> {
    return new Promise((resolve) => {
      const waiting = this.signals.get(name);
      if (waiting === undefined) this.signals.set(name, [resolve]);
      else waiting.push(resolve);
    });
  }

  private read(chunk: Buffer): void {
    try {
      this.reader.read(chunk);
    } catch (error) {
      this.failure = error;
      this.socket.destroy();
    }
  }

  private handle(fields: readonly string[]): void {
    const { observer } = this;
    const [type, name = '', first = '', second = '', third = ''] = fields;
    switch (type) {
      case 'started':
        observer.onStarted(name, parseLeader(first, second), parseTime(third));
        break;
      case 'failed':
        observer.onFailed(name, { step: first, errno: Number(second) });
        break;
      case 'ended':
        observer.onEnded(name, parseEnd(fields), parseTime(second));
        break;
      case 'cancelled':
        observer.onCancelled(name, first);
        break;
      case 'adopted':
        observer.onAdopted(name, parseLeader(first, second));
        break;
      case 'gone':
        observer.onGone(name);
        break;
      case 'signalled':
        this.handleSignalled(name, Number(first));
        break;
      case 'memory':
        this.samples[0]?.bytes.set(name, Number(first));
        break;
      case 'sampled': {
        const sample = this.samples.shift();
        sample?.resolve(sample.bytes);
        break;
      }
      case 'listed':
        this.hasList = true;
        this.onListed();
        break;
      default:
        break;
    }
  }

  private handleSignalled(name: string, count: number): void {
    const waiting = this.signals.get(name);
    const resolve = waiting?.shift();
    if (waiting?.length === 0) this.signals.delete(name);
    resolve?.(count);
  }

  private handleClose(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onLost(this.failure === undefined ? 'the starter closed the connection' : errorMessage(this.failure));
  }
}

/** The starter reports an unknown start time as 0. */
function parseLeader(pid: string, startTime: string): Leader {
  return { pid: Number(pid), start_time: Number(startTime) || null };
}

function parseTime(field: string): number | undefined {
  return field === '' ? undefined : Number(field);
}

function parseEnd([, , status = '', , ...usage]: readonly string[]): ObservedEnd {
  return status === '' ? endUnknown(UNKNOWN_END) : endOf(Number(status), usage);
}
