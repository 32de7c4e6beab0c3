import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import { buildStarter } from '../../scripts/starter.mjs';
import { waitFor } from './wait-for.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const harnesses: StarterHarness[] = [];
let program = '';

// Every test runs on a build with AddressSanitizer and UndefinedBehaviorSanitizer.
beforeAll(() => {
  mkdirSync(`${ROOT}node_modules/.cache/rq-test`, { recursive: true });
  program = `${ROOT}node_modules/.cache/rq-test/rq-starter-${process.pid}`;
  buildStarter(program, { sanitize: true });
});

afterEach(async () => {
  const problems: string[] = [];
  for (const harness of harnesses.splice(0)) problems.push(...(await harness.tearDown()));
  if (problems.length > 0) throw new Error(problems.join('; '));
});

/** A message of the starter: its fields. */
export type Message = readonly string[];

export interface StartOptions {
  readonly serial?: number;
  readonly weight?: number;
  readonly cwd?: string;
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly flags?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A runtime directory with a starter and a connection to it. */
export class StarterHarness {
  readonly root = mkdtempSync('/tmp/rqt-');
  readonly directory = join(this.root, 'run');
  readonly work = join(this.root, 'work');
  private readonly starters: ChildProcess[] = [];
  private stderr = '';
  private socket: Socket | undefined;
  private unread = Buffer.alloc(0);
  /** All messages of the current connection. */
  messages: Message[] = [];

  constructor() {
    mkdirSync(this.directory, { mode: 0o700 });
    mkdirSync(this.work);
    harnesses.push(this);
  }

  /** Launches a starter, connects, and lets attempts begin. */
  async start(): Promise<void> {
    await this.launch();
    await this.connect();
    this.setEnvironment();
    this.send('records', 'JOURNAL');
  }

  setEnvironment(variables: Readonly<Record<string, string>> = {}): void {
    const base = { PATH: process.env['PATH'] ?? '', RQT_HARNESS: this.root, ...variables };
    this.send('environment', ...Object.entries(base).flat());
  }

  /** Waits until the child of an attempt with this stdout waits at its gate. */
  async isAtGate(stdout: string): Promise<void> {
    const sleeps = (pid: number): boolean => readProcess(pid, 'stat').includes(') S ');
    await waitFor(() => this.processes().some((pid) => linkOf(pid, 1) === stdout && sleeps(pid)));
  }

  async launch(): Promise<void> {
    const child = spawn(program, [this.directory, '/bin/bash'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RQT_HARNESS: this.root, UBSAN_OPTIONS: 'print_stacktrace=1' },
    });
    this.starters.push(child);
    child.stderr.on('data', (text: Buffer) => (this.stderr += text.toString()));
    await once(child.stdout, 'data');
  }

  /** Connects in place of the previous connection. Returns the list of attempts. */
  async connect(): Promise<Message[]> {
    const socket = connect(join(this.directory, 'starter.sock'));
    this.socket?.destroy();
    this.socket = socket;
    this.messages = [];
    this.unread = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    await once(socket, 'connect');
    this.send('hello', '1');
    await this.message('listed');
    return this.messages.slice(1, -1);
  }

  disconnect(): void {
    this.socket?.destroy();
  }

  /** Resolves when the starter has closed the connection. */
  async closed(): Promise<void> {
    await waitFor(() => this.socket?.destroyed);
  }

  send(...fields: readonly (string | number)[]): void {
    const parts = fields.flatMap((field) => {
      const bytes = Buffer.from(String(field));
      return [length(bytes.length), bytes];
    });
    const frame = Buffer.concat(parts);
    this.sendBytes(Buffer.concat([length(frame.length), frame]));
  }

  sendBytes(bytes: Buffer): void {
    this.socket?.write(bytes);
  }

  run(name: string, command: string, options: StartOptions = {}): void {
    const { serial = Math.ceil(Math.random() * 2 ** 48), weight = 1, cwd = this.work, flags = '', env = {} } = options;
    const { stdin = '', stdout = '', stderr = '' } = options;
    const variables = Object.entries({ ...env, RQ_ATTEMPT_ID: `JOURNAL.${name}` }).flat();
    this.send('start', name, serial, weight, cwd, stdin, stdout, stderr, flags, 3, '-c', '--', command, ...variables);
  }

  /** Waits for a message of a type, and of a name. */
  message(type: string, name?: string, timeoutMs?: number): Promise<Message> {
    const isWanted = ([first, second]: Message): boolean => first === type && (name === undefined || second === name);
    return waitFor(() => this.messages.find(isWanted), timeoutMs);
  }

  /** Waits for the end of an attempt, and returns its wait status. */
  async status(name: string): Promise<number> {
    return Number((await this.message('ended', name))[2]);
  }

  get pid(): number {
    return this.starters.at(-1)?.pid ?? 0;
  }

  /** Kills the starter with SIGKILL and waits for its end. */
  async kill(): Promise<void> {
    const starter = this.starters.at(-1);
    starter?.kill('SIGKILL');
    await waitFor(() => starter?.exitCode !== null || starter?.signalCode !== null);
  }

  file(name: string): string {
    return join(this.work, name);
  }

  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  /** The pids of the starter's children and of all processes that have its environment. */
  processes(): number[] {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    const isOurs = (pid: number): boolean =>
      readProcess(pid, 'environ').includes(`RQT_HARNESS=${this.root}`) ||
      readProcess(pid, 'cmdline').includes(this.root);
    return pids.filter((pid) => pid !== process.pid && isOurs(pid));
  }

  async tearDown(): Promise<string[]> {
    const problems: string[] = [];
    const unacknowledged = this.messages.filter(([type]) => type === 'ended' || type === 'failed');
    this.send('ack', ...unacknowledged.map(([, name]) => name ?? ''));
    this.socket?.end();
    const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
    try {
      await waitFor(() => this.starters.every(hasEnded), 10_000);
    } catch {
      problems.push('the starter does not end');
    }
    for (const child of this.starters) child.kill('SIGKILL');
    const leaked = this.processes();
    for (const pid of leaked) {
      problems.push(`leaked process ${readProcess(pid, 'cmdline').split('\0').join(' ')}`);
      process.kill(pid, 'SIGKILL');
    }
    if (/Sanitizer|runtime error/.test(this.stderr)) problems.push(this.stderr);
    rmSync(this.root, { recursive: true, force: true });
    return problems;
  }

  private receive(chunk: Buffer): void {
    this.unread = Buffer.concat([this.unread, chunk]);
    while (this.unread.length >= 4 && this.unread.length >= 4 + this.unread.readUInt32BE()) {
      const end = 4 + this.unread.readUInt32BE();
      const fields: string[] = [];
      for (let place = 4; place < end; ) {
        const size = this.unread.readUInt32BE(place);
        fields.push(this.unread.toString('utf8', place + 4, place + 4 + size));
        place += 4 + size;
      }
      this.messages.push(fields);
      this.unread = this.unread.subarray(end);
    }
  }
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** The file that a descriptor of a process refers to. Undefined if there is none. */
export function linkOf(pid: number, descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}

/** The content of a file of /proc; empty if the process has ended. */
export function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
