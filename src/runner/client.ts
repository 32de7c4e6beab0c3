import { connect } from 'node:net';
import { errorCode, RqError } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import { socketPath } from './probe.ts';
import { runnerError } from './protocol/client-errors.ts';
import type { Fields } from './protocol/fields.ts';
import { LineConnection } from './protocol/lines.ts';
import {
  type Environment,
  type Exit,
  type KnownAttempt,
  PROTOCOL_VERSION,
  type ServerHello,
  type ServerMessage,
  type SignalRequest,
  type SpawnRequest,
} from './protocol/protocol.ts';
import { parseAhead, parseListed, parseServerMessage, parseSpawned } from './protocol/replies.ts';

const TIMEOUT_MS = 10_000;
/** The timeout is counted in steps: an event loop that was kept busy (SQL on a slow share) loses one, not all. */
const TIMEOUT_STEPS = 4;
const ACKS_A_REQUEST = 10_000;

export interface RunnerClientOptions {
  readonly directory: string;
  /** May come twice for an attempt that `list` told too. */
  readonly onExit: (exit: Exit) => void;
  /** Once, unless `close` was called first; nothing can be asked any more. */
  readonly onDisconnect: (error: RqError) => void;
  /** For the hello, and for the next answer while calls are outstanding, in milliseconds. */
  readonly timeoutMs?: number;
}

interface Call {
  readonly resolve: (body: Fields) => void;
  readonly reject: (error: RqError) => void;
  readonly name: string;
}

/**
 * A feeder's side of docs/runner-protocol.md. Every failure is an RqError RUNNER; `facts.code` is the runner's own code,
 * or NO_RUNNER, TIMEOUT, DISCONNECTED, TOO_LONG, PROTOCOL. Calls may be outstanding in any number.
 */
export class RunnerClient {
  /** What the runner said of itself. */
  readonly hello: ServerHello;
  private readonly calls = new Map<number, Call>();
  private nextId = 1;
  private watchdog: NodeJS.Timeout | undefined;
  private silentSteps = 0;
  private ended: RqError | undefined;

  private constructor(
    private readonly options: RunnerClientOptions,
    private readonly connection: LineConnection,
    hello: ServerHello,
  ) {
    this.hello = hello;
  }

  /** Connects and becomes the runner's one client; a former one is disconnected. */
  static connect(options: RunnerClientOptions): Promise<RunnerClient> {
    const { directory, timeoutMs = TIMEOUT_MS } = options;
    const path = socketPath(directory);
    return new Promise((resolve, reject) => {
      let client: RunnerClient | undefined;
      const fail = (error: RqError): void => {
        clearTimeout(timer);
        if (client === undefined) reject(error);
        else client.disconnect(error);
        connection.destroy();
      };
      const timer = setTimeout(() => fail(runnerError('TIMEOUT', directory, 'said no hello')), timeoutMs);
      const greet = (hello: ServerHello): void => {
        clearTimeout(timer);
        client = new RunnerClient(options, connection, hello);
        connection.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION }));
        resolve(client);
      };
      const connection = new LineConnection(connect(path), {
        onLine: (line) => {
          const message = understood(directory, line, client === undefined);
          if (message instanceof RqError) fail(message);
          else if (client !== undefined) client.receive(message);
          else if (message.type === 'hello') greet(message);
        },
        onTooLong: () => fail(runnerError('TOO_LONG', directory, 'sent a line longer than 4 MiB')),
        onClose: (error) => {
          const isThere = !['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '');
          if (isThere) fail(runnerError('DISCONNECTED', directory, 'closed the connection', error));
          else fail(runnerError('NO_RUNNER', directory, 'is not there', error));
        },
      });
    });
  }

  /** Replaces the base environment of all later attempts. */
  async environment(env: Environment): Promise<void> {
    await this.call('environment', { env });
  }

  /** Says how many attempts are to run at once; gives how many more may be spawned ahead, to wait at the runner. */
  async slots(slots: number): Promise<number> {
    return parseAhead(await this.call('slots', { slots }));
  }

  /** Takes back attempts that wait at the runner: their spawns fail with CANCELLED. */
  async cancel(keys: readonly AttemptKey[]): Promise<void> {
    await this.call('cancel', { attempts: keys.map(({ jid, attempt }) => ({ jid, attempt })) });
  }

  /** Starts an attempt; pid null if it could not be, then its exit says why. A refusal means that it was not started. */
  async spawn(request: SpawnRequest): Promise<{ pid: number | null; started: string }> {
    const { jid, attempt, command, cwd, env, stdin, stdout, stderr } = request;
    return parseSpawned(await this.call('spawn', { jid, attempt, command, cwd, env, stdin, stdout, stderr }));
  }

  /** Signals the group of a running attempt, and with `graceMs` kills what is left after that time. */
  async signal({ jid, attempt, signal, graceMs }: SignalRequest): Promise<void> {
    await this.call('signal', { jid, attempt, signal, grace_ms: graceMs ?? null });
  }

  /** All attempts that run or are not acknowledged, by jid and attempt. */
  async list(): Promise<KnownAttempt[]> {
    const listed: KnownAttempt[] = [];
    for (;;) {
      const last = listed.at(-1);
      const after = last === undefined ? null : { jid: last.jid, attempt: last.attempt };
      const { attempts, more } = parseListed(await this.call('list', { after }));
      listed.push(...attempts);
      if (!more || attempts.length === 0) return listed;
    }
  }

  /** Says that the results of these attempts are committed. */
  async ack(keys: readonly AttemptKey[]): Promise<void> {
    const requests: Promise<Fields>[] = [];
    for (let first = 0; first < keys.length; first += ACKS_A_REQUEST) {
      const attempts = keys.slice(first, first + ACKS_A_REQUEST).map(({ jid, attempt }) => ({ jid, attempt }));
      requests.push(this.call('ack', { attempts }));
    }
    await Promise.all(requests);
  }

  /** The runner takes no more attempts and exits when none runs. */
  async shutdown(): Promise<void> {
    await this.call('shutdown', {});
  }

  /** Leaves; jobs go on. Outstanding calls fail, `onDisconnect` is not called. Harmless when repeated. */
  close(): void {
    this.fail(runnerError('DISCONNECTED', this.options.directory, 'was left by this client'));
    this.connection.end();
  }

  private call(name: string, fields: object): Promise<Fields> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    const id = this.nextId++;
    const line = JSON.stringify({ id, type: name, ...fields });
    return new Promise((resolve, reject) => {
      if (!this.connection.send(line)) {
        return reject(
          runnerError('TOO_LONG', this.options.directory, `cannot be sent ${name}: it is longer than 4 MiB`),
        );
      }
      this.calls.set(id, { resolve, reject, name });
      this.watchdog ??= this.watch();
    });
  }

  private watch(): NodeJS.Timeout {
    this.silentSteps = 0;
    const { directory, timeoutMs = TIMEOUT_MS } = this.options;
    return setInterval(() => {
      this.silentSteps += 1;
      if (this.silentSteps < TIMEOUT_STEPS) return;
      const [name] = [...this.calls.values()].map((call) => call.name);
      this.disconnect(runnerError('TIMEOUT', directory, `did not answer ${name} within ${timeoutMs / 1000} s`));
      this.connection.destroy();
    }, timeoutMs / TIMEOUT_STEPS);
  }

  private receive(message: ServerMessage): void {
    if (this.ended !== undefined) return;
    // Requests are done in order: an answer to any of them is a sign of life, an event is none.
    if (message.type === 'reply' || message.type === 'failure') this.silentSteps = 0;
    switch (message.type) {
      case 'exit':
        this.options.onExit(message.exit);
        break;
      case 'reply':
        this.take(message.id)?.resolve(message.body);
        break;
      case 'failure': {
        const call = this.take(message.id);
        const refusal = `refused ${call?.name}: ${message.message}`;
        call?.reject(runnerError(message.code, this.options.directory, refusal));
        break;
      }
      case 'bye':
        this.disconnect(runnerError(message.code, this.options.directory, `says goodbye: ${message.message}`));
        break;
      case 'hello':
      case 'unknown':
        break;
      default:
        message satisfies never;
    }
  }

  private take(id: number): Call | undefined {
    const call = this.calls.get(id);
    this.calls.delete(id);
    if (this.calls.size === 0) this.stopWatching();
    return call;
  }

  private disconnect(error: RqError): void {
    if (this.ended !== undefined) return;
    this.fail(error);
    this.options.onDisconnect(error);
  }

  private fail(error: RqError): void {
    this.ended ??= error;
    this.stopWatching();
    for (const call of this.calls.values()) call.reject(error);
    this.calls.clear();
  }

  private stopWatching(): void {
    clearInterval(this.watchdog);
    this.watchdog = undefined;
  }
}

/** A line as a message, or the error that it is; the first one must be a hello of our protocol. */
function understood(directory: string, line: string, isFirst: boolean): ServerMessage | RqError {
  let message: ServerMessage;
  try {
    message = parseServerMessage(line);
  } catch (error) {
    if (error instanceof RqError) return error;
    throw error;
  }
  if (!isFirst) return message;
  if (message.type !== 'hello') return runnerError('PROTOCOL', directory, 'did not begin with a hello');
  const { protocol, version } = message;
  if (protocol === PROTOCOL_VERSION) return message;
  const difference = `is of rq ${version} and speaks protocol ${protocol}, not ${PROTOCOL_VERSION}`;
  return runnerError('PROTOCOL', directory, difference);
}
