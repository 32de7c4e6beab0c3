import type { Host, Lab } from './lab.ts';
import { shellCommand } from './program.ts';

const WAIT_MS = 60_000;

// The directory is $0, the command $1. The status is there all at once, or not yet.
const SUPERVISOR = `bash -c "$1" & echo $! >"$0/pid"; wait $!; echo $? >"$0/part"; mv "$0/part" "$0/status"`;

/** A command that runs in a host while the test goes on. It ends with the host, at the latest with the lab. */
export class Background {
  private static started = 0;

  private constructor(
    private readonly lab: Lab,
    readonly host: Host,
    /** Of the command itself where it is a simple one, else of the shell that runs it. */
    readonly pid: number,
    private readonly directory: string,
  ) {}

  static async start(lab: Lab, host: Host, command: string): Promise<Background> {
    const directory = `/tmp/background.${++Background.started}`;
    const supervisor = shellCommand('setsid', 'bash', '-c', SUPERVISOR, directory, command);
    const pid = await lab.output(
      host,
      `mkdir ${directory} && cd ${directory} && { ${supervisor} >output 2>&1 </dev/null & } &&
       until [ -s pid ]; do sleep 0.02; done; cat pid`,
    );
    return new Background(lab, host, Number(pid), directory);
  }

  /** What it has printed so far, stdout and stderr mixed. */
  async output(): Promise<string> {
    return await this.lab.output(this.host, `cat ${this.directory}/output`);
  }

  /** Waits until its output matches; gives the output. */
  async waitForOutput(pattern: string, options: { timeoutMs?: number } = {}): Promise<string> {
    const search = shellCommand('grep', '-qE', '-e', pattern, `${this.directory}/output`);
    await this.wait(search, `printed ${pattern}`, options.timeoutMs);
    return await this.output();
  }

  /** Waits for its end; gives the exit status as a shell does (128 and more: a signal). */
  async waitForExit(options: { timeoutMs?: number } = {}): Promise<number> {
    await this.wait(`[ -e ${this.directory}/status ]`, 'ended', options.timeoutMs);
    return Number(await this.lab.output(this.host, `cat ${this.directory}/status`));
  }

  async signal(name: 'TERM' | 'INT' | 'KILL' | 'STOP' | 'CONT' | 'HUP' | 'USR1'): Promise<void> {
    await this.lab.output(this.host, `kill -${name} ${this.pid}`);
  }

  private async wait(condition: string, what: string, timeoutMs = WAIT_MS): Promise<void> {
    const { status } = await this.lab.run(this.host, `until ${condition}; do sleep 0.1; done`, { timeoutMs });
    if (status === 0) return;
    throw new Error(`on ${this.host}, ${this.pid} has not ${what} in ${timeoutMs} ms; output: ${await this.output()}`);
  }
}
