import { expect } from 'vitest';
import type { Background } from './background.ts';
import type { Host, Lab } from './lab.ts';
import { shellCommand } from './program.ts';

const ANSWER_MS = 120_000;

type Parameters = Readonly<Record<string, string | number>>;
type Answer = { readonly result: unknown } | { readonly error: string };

/** A fixture (test/fixtures/remote-*.ts) that runs on a host of the lab and executes calls of the test. */
export class RemoteProcess {
  private static started = 0;
  private calls = 0;

  private constructor(
    private readonly lab: Lab,
    readonly host: Host,
    private readonly directory: string,
    private readonly background: Background,
  ) {}

  /** Starts a bundled fixture with these arguments, and waits until it accepts calls. */
  static async start(lab: Lab, host: Host, fixture: string, args: readonly string[]): Promise<RemoteProcess> {
    const directory = `/tmp/remote.${++RemoteProcess.started}`;
    const node = shellCommand('node', fixture, ...args);
    // Opened for reading and writing, the pipe stays open after each writer has closed it.
    const command = `mkdir ${directory} && cd ${directory} && mkfifo calls && exec ${node} <>calls >answers`;
    const started = new RemoteProcess(lab, host, directory, await lab.start(host, command));
    await started.answer(0);
    return started;
  }

  /** The file that lets a call that waits inside continue. */
  get continueFile(): string {
    return `${this.directory}/continue`;
  }

  /** Calls, and waits for the result; throws if that is an error. */
  async call(name: string, parameters: Parameters = {}): Promise<unknown> {
    const id = ++this.calls;
    return await this.wait(id, `${this.send(id, name, parameters)}; `);
  }

  /** Calls without waiting, and returns the number of the call. */
  async begin(name: string, parameters: Parameters = {}): Promise<number> {
    const id = ++this.calls;
    await this.lab.output(this.host, this.send(id, name, parameters));
    return id;
  }

  /** Waits for the result of a call. */
  async answer(id: number): Promise<unknown> {
    return await this.wait(id, '');
  }

  /** Lets a call that waits inside continue. */
  async resume(): Promise<void> {
    await this.lab.output(this.host, `touch ${this.continueFile}`);
  }

  /** Waits until the process was killed. */
  async waitUntilKilled(): Promise<void> {
    expect(await this.background.waitForExit()).toBe(137);
  }

  async kill(): Promise<void> {
    await this.background.signal('KILL');
    await this.waitUntilKilled();
  }

  private send(id: number, name: string, parameters: Parameters): string {
    return `printf '%s\\n' ${shellCommand(JSON.stringify({ ...parameters, id, call: name }))} >${this.directory}/calls`;
  }

  private async wait(id: number, before: string): Promise<unknown> {
    const find = `grep -m1 '^{"id":${id},' ${this.directory}/answers 2>/dev/null`;
    const wait = `until ${find}; do [ -e /proc/${this.background.pid} ] || exec ${find}; sleep 0.02; done`;
    const { status, output } = await this.lab.run(this.host, before + wait, { timeoutMs: ANSWER_MS });
    if (status !== 0) {
      const messages = await this.background.output();
      throw new Error(
        `on ${this.host}, no answer to call ${id} (${status === 124 ? 'too late' : 'ended'}): ${messages}`,
      );
    }
    const answer = JSON.parse(output) as Answer;
    if ('error' in answer) throw new Error(`on ${this.host}: ${answer.error}`);
    return answer.result;
  }
}
