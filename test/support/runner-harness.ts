import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll } from 'vitest';
import type { RqError } from '../../src/job/errors.ts';
import { processStartTime } from '../../src/job/process.ts';
import { RunnerClient } from '../../src/runner/client.ts';
import { launchRunner } from '../../src/runner/launch.ts';
import type { Exit, ServerHello, SpawnRequest } from '../../src/runner/protocol/messages.ts';
import { buildRunner } from './runner-program.ts';
import { waitFor } from './wait-for.ts';

let program = '';
const harnesses: RunnerHarness[] = [];

beforeAll(async () => {
  program = await buildRunner();
});

afterEach(async () => {
  const leaked: string[] = [];
  for (const harness of harnesses.splice(0)) leaked.push(...(await harness.tearDown()));
  if (leaked.length > 0) throw new Error(`leaked processes: ${leaked.join('; ')}`);
});

export interface Connected {
  readonly client: RunnerClient;
  /** By jid, in the order of arrival. */
  readonly exits: Map<number, Exit>;
  readonly disconnected: Promise<RqError>;
}

/** A runtime directory, a working directory, and the runner. All of it is removed after the test. */
export class RunnerHarness {
  readonly root = mkdtempSync('/tmp/rqt-');
  readonly directory = join(this.root, 'run');
  readonly work = join(this.root, 'work');
  readonly program = program;
  private readonly clients: RunnerClient[] = [];

  constructor() {
    mkdirSync(this.work);
    harnesses.push(this);
  }

  async launch(idleMs = 30_000): Promise<ServerHello> {
    // Marks all descendants of the runner, so that `processes` finds them.
    process.env['RQT_HARNESS'] = this.root;
    return await launchRunner(this.directory, this.program, { idleMs });
  }

  async connect(timeoutMs = 10_000): Promise<Connected> {
    const exits = new Map<number, Exit>();
    let onDisconnect: (error: RqError) => void = () => undefined;
    const disconnected = new Promise<RqError>((resolve) => {
      onDisconnect = resolve;
    });
    const onExit = (exit: Exit): void => {
      exits.set(exit.jid, exit);
    };
    const client = await RunnerClient.connect({ directory: this.directory, timeoutMs, onExit, onDisconnect });
    this.clients.push(client);
    return { client, exits, disconnected };
  }

  async start(idleMs?: number): Promise<Connected> {
    await this.launch(idleMs);
    return await this.connect();
  }

  job(jid: number, command: string, changes: Partial<SpawnRequest> = {}): SpawnRequest {
    const files = { stdin: null, stdout: this.file(`out.${jid}`), stderr: this.file(`err.${jid}`) };
    return { jid, claim: 1, command, cwd: this.work, env: {}, ...files, ...changes };
  }

  file(name: string): string {
    return join(this.work, name);
  }

  read(name: string): string {
    return existsSync(this.file(name)) ? readFileSync(this.file(name), 'utf8') : '';
  }

  runners(): number[] {
    return this.running(`${this.program} ${this.directory}`);
  }

  starters(): number[] {
    return this.running(`rq-starter ${this.directory}`);
  }

  async killRunner(): Promise<void> {
    await kill(this.runners());
  }

  async killStarter(): Promise<void> {
    await kill(this.starters());
  }

  async tearDown(): Promise<string[]> {
    for (const client of this.clients) client.close();
    await this.killRunner();
    await this.endStarter();
    const leaked = this.processes();
    const descriptions = leaked.map((pid) => `${pid} ${argumentsOf(pid).join(' ')}`);
    await kill(leaked);
    await waitFor(() => this.processes().length === 0);
    rmSync(this.root, { recursive: true, force: true });
    return descriptions;
  }

  /** A starter without jobs ends, at the latest when a runner has acknowledged all ends. */
  private async endStarter(): Promise<void> {
    const hasEnded = (): boolean => this.starters().length === 0;
    const isBusy = (): boolean => this.processes().length > this.starters().length;
    await waitFor(() => hasEnded() || isBusy(), 300).catch(() => undefined);
    if (hasEnded() || isBusy()) return;
    const { client } = await this.start();
    await client.shutdown();
    await waitFor(() => this.runners().length === 0 && hasEnded()).catch(() => undefined);
  }

  /** The pids of programs with this call, without children that have the same arguments until they exec. */
  private running(call: string): number[] {
    const alike = this.processes().filter((pid) => argumentsOf(pid).join(' ').includes(call));
    return alike.filter((pid) => !alike.includes(parentOf(pid)));
  }

  /** The pids of the runner and of everything that it started. */
  processes(): number[] {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return pids.filter((pid) => pid !== process.pid && readProc(pid, 'environ').includes(`RQT_HARNESS=${this.root}`));
  }
}

/** Waits until the processes are gone: their arguments vanish from /proc before their files are closed. */
async function kill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) {
    if (processStartTime(pid) !== undefined) process.kill(pid, 'SIGKILL');
  }
  await waitFor(() => pids.every((pid) => processStartTime(pid) === undefined));
}

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat').join('');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function argumentsOf(pid: number): string[] {
  return readProc(pid, 'cmdline');
}

function readProc(pid: number, file: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0');
  } catch {
    // The process has ended.
    return [];
  }
}
