import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { errorMessage } from '../job/errors.ts';
import type { Jobs } from './jobs.ts';
import type { Journal } from './journal/journal.ts';
import type { RunnerLog } from './log.ts';
import { type Fields, parseFields } from './protocol/fields.ts';
import { LineConnection } from './protocol/lines.ts';
import { PacedLines } from './protocol/paced-lines.ts';
import {
  type ByeCode,
  type Exit,
  exitFields,
  MAX_AHEAD,
  PROTOCOL_VERSION,
  type Request,
  RequestError,
  type ServerHello,
} from './protocol/protocol.ts';
import { parseRequest, requestId } from './protocol/requests.ts';

const HELLO_TIMEOUT_MS = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface ServerOptions {
  readonly hello: ServerHello;
  readonly jobs: Jobs;
  readonly journal: Journal;
  readonly log: RunnerLog;
  readonly monotonicMs: () => number;
  /** The first connection came, or the last one went. */
  readonly onConnections: () => void;
  readonly onShutdown: () => void;
  /** A new client has come: what the former one asked for, its own shutdown included, is no longer asked for. */
  readonly onClient: () => void;
}

/** The socket: visitors that have not said hello, and at most one client, whose requests are done in order. */
export class RunnerServer {
  private readonly server: Server;
  private readonly connections = new Set<LineConnection>();
  private client: LineConnection | undefined;
  private isShuttingDown = false;

  constructor(private readonly options: ServerOptions) {
    this.server = createServer((socket) => this.welcome(socket));
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Replaces whatever is at the path; only who has the lock of the directory may. */
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

  sendExits(exits: readonly Exit[]): void {
    for (const exit of exits) this.client?.send(JSON.stringify({ type: 'exit', ...exitFields(exit) }));
    this.dropIfStuck(this.client);
  }

  /** Takes no more connections, removes the socket and sees the last words off. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const connection of this.connections) this.bye(connection, 'STOPPING', 'the runner exits');
    await closed;
  }

  private welcome(socket: Socket): void {
    const patience = setTimeout(() => connection.destroy(), HELLO_TIMEOUT_MS);
    const lines = new PacedLines(
      (line) => {
        if (connection === this.client) this.receive(connection, line);
        else if (!connection.isDone && this.acceptHello(connection, line)) clearTimeout(patience);
      },
      (isBusy) => (isBusy ? socket.pause() : socket.resume()),
      this.options.monotonicMs,
    );
    const connection = new LineConnection(socket, {
      onLine: (line) => lines.add(line),
      // What is told must survive this process: the journal is ahead of every reply.
      onFlush: () => this.options.journal.settle(),
      onTooLong: () => this.refuse(connection, 'TOO_LONG', 'a line was longer than 4 MiB'),
      onClose: () => {
        clearTimeout(patience);
        lines.clear();
        this.connections.delete(connection);
        if (this.client === connection) this.options.log.clientGone();
        if (this.client === connection) this.client = undefined;
        this.options.onConnections();
      },
    });
    this.connections.add(connection);
    this.options.onConnections();
    connection.send(JSON.stringify(this.options.hello));
  }

  private acceptHello(connection: LineConnection, line: string): boolean {
    const hello = parseFields(line);
    if (hello?.['type'] !== 'hello' || hello['protocol'] !== PROTOCOL_VERSION) {
      this.refuse(connection, 'PROTOCOL', `expected the hello of a client with protocol ${PROTOCOL_VERSION}`);
      return false;
    }
    const former = this.client;
    this.client = connection;
    if (former !== undefined) this.bye(former, 'REPLACED', 'another client has connected');
    this.isShuttingDown = false;
    this.options.onClient();
    this.options.log.clientConnected();
    return true;
  }

  private receive(connection: LineConnection, line: string): void {
    const fields = parseFields(line);
    const id = fields === undefined ? undefined : requestId(fields);
    if (fields === undefined || id === undefined) {
      this.refuse(connection, 'PROTOCOL', 'a line was no request: no JSON object with an id');
      return;
    }
    const answer = (body: object): void => {
      connection.send(JSON.stringify({ id, ...body }));
      this.dropIfStuck(connection);
    };
    const done = this.answer(fields, id);
    if (done instanceof Promise) done.then(answer).catch((error: unknown) => this.options.log.failed('answer', error));
    else answer(done);
  }

  private answer(fields: Fields, id: number): object | Promise<object> {
    const well = (body: object): object => ({ ok: true, ...body });
    const refused = (error: unknown): object => {
      if (error instanceof RequestError) return { error: { code: error.code, message: error.message } };
      this.options.log.failed('answer a request', error);
      return { error: { code: 'FAILED', message: errorMessage(error) } };
    };
    try {
      const done = this.perform(parseRequest(fields, id));
      return done instanceof Promise ? done.then(well).catch(refused) : well(done);
    } catch (error) {
      return refused(error);
    }
  }

  private perform(request: Request): object | Promise<object> {
    const { jobs, journal } = this.options;
    switch (request.type) {
      case 'spawn':
        if (this.isShuttingDown) throw new RequestError('SHUTTING_DOWN', 'the runner takes no more jobs');
        return jobs.spawn(request);
      case 'signal':
        return jobs.signal(request);
      case 'environment':
        jobs.environment = request.env;
        return {};
      case 'slots':
        jobs.slots = request.slots;
        return { ahead: MAX_AHEAD };
      case 'cancel':
        jobs.cancel(request.attempts);
        return {};
      case 'list':
        return jobs.list(request.after);
      case 'ack':
        journal.acknowledge(request.attempts);
        return {};
      case 'shutdown':
        this.isShuttingDown = true;
        this.options.onShutdown();
        return {};
      default:
        return request satisfies never;
    }
  }

  private dropIfStuck(connection: LineConnection | undefined): void {
    if (connection === undefined || connection.waitingBytes <= MAX_WAITING_BYTES) return;
    this.options.log.clientRefused('STUCK', 'it does not read');
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
