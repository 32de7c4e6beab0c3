import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { errorMessage } from '../job/errors.ts';
import type { Attempts } from './attempts.ts';
import type { Journal } from './journal/journal.ts';
import type { RunnerLog } from './log.ts';
import { type Fields, parseFields } from './protocol/fields.ts';
import { LineConnection } from './protocol/lines.ts';
import {
  type ByeCode,
  MAX_AHEAD,
  PROTOCOL_VERSION,
  type Request,
  RequestError,
  type ServerHello,
} from './protocol/messages.ts';
import { parseRequest, requestId } from './protocol/requests.ts';
import { TimeSlicedLines } from './protocol/time-sliced-lines.ts';

const HELLO_TIMEOUT_MS = 10_000;
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

export interface ServerOptions {
  readonly hello: ServerHello;
  readonly attempts: Attempts;
  readonly journal: Journal;
  readonly log: RunnerLog;
  readonly monotonicMs: () => number;
  readonly onConnectionsChanged: () => void;
  readonly onShutdown: () => void;
}

/** Listens on the socket. Connections that have not sent a hello are probes; at most one connection is the client. */
export class RunnerServer {
  private readonly server: Server;
  private readonly connections = new Set<LineConnection>();
  private client: LineConnection | undefined;
  private hasShutdownRequest = false;

  constructor(private readonly options: ServerOptions) {
    this.server = createServer((socket) => this.accept(socket));
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Whether the last client has requested a shutdown. */
  get isShuttingDown(): boolean {
    return this.hasShutdownRequest;
  }

  /** Replaces the file at the path. The caller must hold the lock of the directory. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(path, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.options.log.failed('accept a connection', error));
        resolve();
      });
    });
    chmodSync(path, 0o600);
  }

  /** Sends the lines of exits. */
  sendExits(lines: readonly string[]): void {
    for (const line of lines) this.client?.send(line);
    this.disconnectIfNotReading(this.client);
  }

  /** Stops listening, removes the socket and waits until all connections are closed. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.connections) this.bye(connection, 'STOPPING', 'the runner exits');
    await closed;
  }

  private accept(socket: Socket): void {
    const helloTimer = setTimeout(() => connection.destroy(), HELLO_TIMEOUT_MS);
    const lines = new TimeSlicedLines(
      (line) => {
        if (connection === this.client) this.receive(connection, line);
        else if (!connection.isClosed && this.acceptHello(connection, line)) clearTimeout(helloTimer);
      },
      (isBusy) => (isBusy ? socket.pause() : socket.resume()),
      this.options.monotonicMs,
    );
    const connection = new LineConnection(socket, {
      onLine: (line) => lines.add(line),
      // A client may rely on every line that it receives, so the journal is written first.
      onFlush: () => this.options.journal.flush(),
      onTooLong: () => this.refuse(connection, 'TOO_LONG', 'a line was longer than 4 MiB'),
      onClose: () => {
        clearTimeout(helloTimer);
        lines.clear();
        this.connections.delete(connection);
        if (this.client === connection) {
          this.options.log.clientDisconnected();
          this.client = undefined;
        }
        this.options.onConnectionsChanged();
      },
    });
    this.connections.add(connection);
    this.options.onConnectionsChanged();
    connection.send(JSON.stringify(this.options.hello));
  }

  private acceptHello(connection: LineConnection, line: string): boolean {
    const hello = parseFields(line);
    if (hello?.['type'] !== 'hello' || hello['protocol'] !== PROTOCOL_VERSION) {
      this.refuse(connection, 'PROTOCOL', `expected a hello with protocol ${PROTOCOL_VERSION}`);
      return false;
    }
    const former = this.client;
    this.client = connection;
    if (former !== undefined) this.bye(former, 'REPLACED', 'another client has connected');
    this.hasShutdownRequest = false;
    this.options.log.clientConnected();
    return true;
  }

  private receive(connection: LineConnection, line: string): void {
    const fields = parseFields(line);
    const id = fields === undefined ? undefined : requestId(fields);
    if (fields === undefined || id === undefined) {
      this.refuse(connection, 'PROTOCOL', 'a line was not a request (a JSON object with an id)');
      return;
    }
    const reply = (body: object): void => {
      connection.send(JSON.stringify({ id, ...body }));
      this.disconnectIfNotReading(connection);
    };
    const body = this.replyTo(fields, id);
    if (body instanceof Promise) body.then(reply).catch((error: unknown) => this.options.log.failed('reply', error));
    else reply(body);
  }

  private replyTo(fields: Fields, id: number): object | Promise<object> {
    const success = (body: object): object => ({ ok: true, ...body });
    const failure = (error: unknown): object => {
      if (error instanceof RequestError) return { error: { code: error.code, message: error.message } };
      this.options.log.failed('perform a request', error);
      return { error: { code: 'FAILED', message: errorMessage(error) } };
    };
    try {
      const body = this.perform(parseRequest(fields, id));
      return body instanceof Promise ? body.then(success).catch(failure) : success(body);
    } catch (error) {
      return failure(error);
    }
  }

  private perform(request: Request): object | Promise<object> {
    const { attempts, journal } = this.options;
    switch (request.type) {
      case 'spawn':
        if (this.hasShutdownRequest) throw new RequestError('SHUTTING_DOWN', 'the runner is shutting down');
        return attempts.spawn(request);
      case 'signal':
        return attempts.signal(request);
      case 'pause':
        return attempts.pause(request);
      case 'resume':
        return attempts.resume(request);
      case 'environment':
        attempts.setEnvironment(request.env, request);
        return {};
      case 'slots':
        attempts.setSlots(request.slots);
        return { ahead: MAX_AHEAD, keeps_devices: true };
      case 'cancel':
        attempts.cancel(request.attempts);
        return {};
      case 'list':
        return attempts.list(request.after);
      case 'ack':
        journal.acknowledge(request.attempts);
        return {};
      case 'shutdown':
        this.hasShutdownRequest = true;
        this.options.onShutdown();
        return {};
      default:
        return request satisfies never;
    }
  }

  private disconnectIfNotReading(connection: LineConnection | undefined): void {
    if (connection === undefined || connection.unsentBytes <= MAX_UNSENT_BYTES) return;
    this.options.log.clientRefused('NOT_READING', 'the client is not reading its replies');
    connection.destroy();
  }

  private refuse(connection: LineConnection, code: ByeCode, message: string): void {
    this.options.log.clientRefused(code, message);
    this.bye(connection, code, message);
  }

  private bye(connection: LineConnection, code: ByeCode, message: string): void {
    connection.send(JSON.stringify({ type: 'bye', code, message }));
    connection.end();
  }
}
