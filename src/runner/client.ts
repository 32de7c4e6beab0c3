import { connect } from 'node:net';
import { errorCode, RqError } from '../job/errors.ts';
import type { AttemptKey } from '../job/job.ts';
import { socketPath } from './probe.ts';
import type { Environment, Fields } from './protocol/fields.ts';
import { holdingFields } from './protocol/holdings.ts';
import { limitFields } from './protocol/limits.ts';
import { LineConnection } from './protocol/lines.ts';
import {
  type Exit,
  type JobSettings,
  keyOf,
  type ListedAttempt,
  PROTOCOL_VERSION,
  type ServerHello,
  type ServerMessage,
  type SignalRequest,
  type SlotsReply,
  type Spawned,
  type SpawnRequest,
} from './protocol/messages.ts';
import { OutstandingCalls } from './protocol/outstanding-calls.ts';
import { parseListReply, parseServerMessage, parseSlotsReply, parseSpawnReply } from './protocol/replies.ts';

const TIMEOUT_MS = 10_000;
const ACKS_PER_REQUEST = 10_000;

export interface RunnerClientOptions {
  readonly directory: string;
  /** May be called twice for an attempt, and for an attempt that `list` also returned as exited. */
  readonly onExit: (exit: Exit) => void;
  /** Called once when the connection is lost, but not after `close`. Later calls fail. */
  readonly onDisconnect: (error: RqError) => void;
  /** The timeout of the hello, and of the next reply while calls are outstanding. A slow spawn does not count. */
  readonly timeoutMs?: number;
}

/**
 * The client of docs/runner-protocol.md. Every failure is an RqError RUNNER. `facts.code` is a code of the protocol, or
 * NO_RUNNER, TIMEOUT, DISCONNECTED, TOO_LONG or PROTOCOL. Any number of calls may be outstanding.
 */
export class RunnerClient {
  private readonly calls: OutstandingCalls;
  private nextId = 1;
  private failure: RqError | undefined;

  private constructor(
    private readonly options: RunnerClientOptions,
    private readonly connection: LineConnection,
    readonly hello: ServerHello,
  ) {
    const { directory, timeoutMs = TIMEOUT_MS } = options;
    this.calls = new OutstandingCalls(timeoutMs, {
      onTimeout: (name) => {
        this.disconnect(runnerError('TIMEOUT', directory, `did not answer ${name} within ${timeoutMs / 1000} s`));
        this.connection.destroy();
      },
      onSlowSpawns: () => void this.call('ack', { attempts: [] }).catch(() => undefined),
    });
  }

  /** Connects and replaces the former client of the runner, which is disconnected. */
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
      const timer = setTimeout(() => fail(runnerError('TIMEOUT', directory, 'did not send a hello')), timeoutMs);
      const acceptHello = (hello: ServerHello): void => {
        clearTimeout(timer);
        client = new RunnerClient(options, connection, hello);
        connection.send(JSON.stringify({ type: 'hello', protocol: PROTOCOL_VERSION }));
        resolve(client);
      };
      const connection = new LineConnection(connect(path), {
        onLine: (line) => {
          const message = parseLine(directory, line, client === undefined);
          if (message instanceof RqError) fail(message);
          else if (client !== undefined) client.receive(message);
          else if (message.type === 'hello') acceptHello(message);
        },
        onTooLong: () => fail(runnerError('TOO_LONG', directory, 'sent a line longer than 4 MiB')),
        onClose: (error) => {
          const isRunning = !['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '');
          if (isRunning) fail(runnerError('DISCONNECTED', directory, 'closed the connection', error));
          else fail(runnerError('NO_RUNNER', directory, 'is not running', error));
        },
      });
    });
  }

  /** Replaces the base environment and the settings of all attempts that are spawned later. */
  async environment(env: Environment, { umask, limits }: JobSettings = {}): Promise<void> {
    await this.call('environment', { env, umask: umask?.toString(8), limits });
  }

  /** Sets the sum of the weights of attempts that run at once. */
  async slots(slots: number): Promise<SlotsReply> {
    return parseSlotsReply(await this.call('slots', { slots }));
  }

  /** Cancels attempts that wait in the runner. Their spawns fail with CANCELLED. */
  async cancel(keys: readonly AttemptKey[]): Promise<void> {
    await this.call('cancel', { attempts: keys.map(keyOf) });
  }

  /** Starts an attempt. If the runner refuses the request, the attempt was not started. */
  async spawn(request: SpawnRequest): Promise<Spawned> {
    const { limits, holding, ...job } = request;
    const fields = { ...job, ...limitFields(limits), ...holdingFields(holding) };
    return parseSpawnReply(await this.call('spawn', fields));
  }

  /** Signals all processes of a running attempt. With `graceMs`, those that are left get SIGKILL after that time. */
  async signal({ jid, claim, signal, graceMs, order }: SignalRequest): Promise<void> {
    await this.call('signal', { jid, claim, signal, grace_ms: graceMs ?? null, order: order ?? null });
  }

  /** Stops all processes of a running attempt. Its time limit does not count until `resume`. */
  async pause(key: AttemptKey): Promise<void> {
    await this.call('pause', keyOf(key));
  }

  /** Continues all processes of a running attempt. */
  async resume(key: AttemptKey): Promise<void> {
    await this.call('resume', keyOf(key));
  }

  /** Returns all attempts that run or are not acknowledged, ordered by jid and attempt. */
  async list(): Promise<ListedAttempt[]> {
    const listed: ListedAttempt[] = [];
    for (;;) {
      const last = listed.at(-1);
      const after = last === undefined ? null : keyOf(last);
      const { attempts, more } = parseListReply(await this.call('list', { after }));
      listed.push(...attempts);
      if (!more || attempts.length === 0) return listed;
    }
  }

  /** Acknowledges that the results of these attempts are committed. */
  async ack(keys: readonly AttemptKey[]): Promise<void> {
    const requests: Promise<Fields>[] = [];
    for (let first = 0; first < keys.length; first += ACKS_PER_REQUEST) {
      requests.push(this.call('ack', { attempts: keys.slice(first, first + ACKS_PER_REQUEST).map(keyOf) }));
    }
    await Promise.all(requests);
  }

  /** Makes the runner refuse spawns and exit when its last attempt has ended. */
  async shutdown(): Promise<void> {
    await this.call('shutdown', {});
  }

  /** Disconnects; jobs continue. Outstanding calls fail, and `onDisconnect` is not called. It may be called repeatedly. */
  close(): void {
    this.fail(runnerError('DISCONNECTED', this.options.directory, 'was disconnected by this client'));
    this.connection.end();
  }

  private call(name: string, fields: object): Promise<Fields> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const id = this.nextId++;
    const line = JSON.stringify({ id, type: name, ...fields });
    return new Promise((resolve, reject) => {
      if (this.connection.send(line)) this.calls.add(id, { resolve, reject, name });
      else reject(runnerError('TOO_LONG', this.options.directory, `accepts no ${name} request longer than 4 MiB`));
    });
  }

  private receive(message: ServerMessage): void {
    if (this.failure !== undefined) return;
    const { directory, onExit } = this.options;
    switch (message.type) {
      case 'exit':
        onExit(message.exit);
        break;
      case 'reply':
        this.calls.take(message.id)?.resolve(message.body);
        break;
      case 'failure': {
        const call = this.calls.take(message.id);
        call?.reject(runnerError(message.code, directory, `refused ${call.name}: ${message.message}`));
        break;
      }
      case 'bye':
        this.disconnect(runnerError(message.code, directory, `closed the connection: ${message.message}`));
        break;
      case 'hello':
      case 'unknown':
        break;
      default:
        message satisfies never;
    }
  }

  private disconnect(error: RqError): void {
    if (this.failure !== undefined) return;
    this.fail(error);
    this.options.onDisconnect(error);
  }

  private fail(error: RqError): void {
    this.failure ??= error;
    this.calls.rejectAll(error);
  }
}

/** Returns the message of a line, or the error of an invalid one. The first line must be a hello of this protocol. */
function parseLine(directory: string, line: string, isFirst: boolean): ServerMessage | RqError {
  let message: ServerMessage;
  try {
    message = parseServerMessage(line);
  } catch (error) {
    if (error instanceof RqError) return error;
    throw error;
  }
  if (!isFirst) return message;
  if (message.type !== 'hello') return runnerError('PROTOCOL', directory, 'did not send a hello first');
  const { protocol, version } = message;
  if (protocol === PROTOCOL_VERSION) return message;
  const difference = `belongs to rq ${version} and uses protocol ${protocol}, not ${PROTOCOL_VERSION}`;
  return runnerError('PROTOCOL', directory, difference);
}

function runnerError(code: string, directory: string, predicate: string, cause?: unknown): RqError {
  return new RqError('RUNNER', `the runner in ${directory} ${predicate}`, {
    ...(cause === undefined ? {} : { cause }),
    facts: { code, directory },
  });
}
