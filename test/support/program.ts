import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect } from 'vitest';
import { temporaryDirectory } from './temporary-directory.ts';
import { waitFor } from './wait-for.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RQ = join(ROOT, 'bin/rq');

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Call {
  readonly input?: string | Uint8Array;
  readonly environment?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** A command that executes its further arguments. */
  readonly wrapper?: readonly string[];
}

const benches: Workbench[] = [];

/** A directory for one queue, with a runtime directory, and calls of the built program in it. */
export class Workbench {
  readonly directory: string;
  /** The path of the queue. The test creates it. */
  queue: string;
  readonly environment: NodeJS.ProcessEnv;

  constructor() {
    this.directory = temporaryDirectory();
    this.queue = join(this.directory, 'q');
    const plain = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RQ_')));
    this.environment = { ...plain, HOME: this.directory, RQ_RUNTIME_DIR: join(this.directory, 'run') };
    benches.push(this);
  }

  /** Starts `rq` with these arguments, in which `QUEUE` is replaced by the path of the queue. */
  start(
    words: readonly string[],
    { input, environment, cwd, wrapper = [] }: Call = {},
  ): { child: ChildProcess; ended: Promise<Ended> } {
    const [program = RQ, ...more] = [...wrapper, RQ];
    const child = spawn(program, [...more, ...words.map((word) => (word === 'QUEUE' ? this.queue : word))], {
      env: { ...this.environment, ...environment },
      cwd: cwd ?? this.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
    return { child, ended: collect(child) };
  }

  /** Runs `rq` and waits for its end. */
  async run(words: readonly string[], call: Call = {}): Promise<Ended> {
    return await this.start(words, call).ended;
  }

  /** The same, but the call has to succeed. Returns its stdout. */
  async must(words: readonly string[], call: Call = {}): Promise<string> {
    const { status, signal, stdout, stderr } = await this.run(words, call);
    expect({ words, status, signal, stderr: status === 0 ? '' : stderr }).toEqual({
      words,
      status: 0,
      signal: null,
      stderr: '',
    });
    return stdout;
  }

  /** Runs a bash command in the directory of the queue `q`, with `rq` on PATH. It has to succeed. */
  async shell(line: string): Promise<Ended> {
    const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
      env: { ...this.environment, PATH: `${join(ROOT, 'bin')}:${this.environment['PATH']}` },
      cwd: this.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = await collect(child);
    expect({ line, status: ended.status, stderr: ended.stderr }).toMatchObject({ line, status: 0 });
    return ended;
  }

  /** The selected jobs. An empty selection (exit status 3) gives an empty list. */
  async jobs(...selection: string[]): Promise<Record<string, unknown>[]> {
    const { status, stdout, stderr } = await this.run(['QUEUE', 'list', '--json', ...selection]);
    if (status === 3) return [];
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout) as Record<string, unknown>[];
  }

  /** The number of jobs in each state. */
  async counts(): Promise<Record<string, number>> {
    return (JSON.parse(await this.must(['QUEUE', 'status', '--json'])) as { jobs: Record<string, number> }).jobs;
  }

  stdout(jid: number): string {
    return readFileSync(join(this.queue, 'stdout', String(jid)), 'utf8');
  }

  /** The pids of all processes started by this bench, found by their environment. */
  processes(): number[] {
    const mark = `RQ_RUNTIME_DIR=${this.environment['RQ_RUNTIME_DIR']}`;
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => environmentOf(pid).includes(mark));
  }

  /** The pids of the starters among them. */
  starters(): number[] {
    return this.processes().filter((pid) => programOf(pid) === 'rq-starter');
  }
}

async function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, stdout, stderr };
}

function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    // The process has ended.
    return '';
  }
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

afterEach(async () => {
  const used = benches.splice(0);
  const left = (): number[] => used.flatMap((bench) => bench.processes()).filter(isAlive);
  const leaked = await waitFor(() => left().length === 0, 15_000).then(
    () => [],
    () => left(),
  );
  const names = leaked.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
  for (const pid of leaked) process.kill(pid, 'SIGKILL');
  expect(names).toEqual([]);
});
