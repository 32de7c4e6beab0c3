import type { Host, Lab } from './lab.ts';
import { shellCommand } from './program.ts';

const WAIT_MS = 60_000;

// The directory is $0, the command $1. The rename makes the status appear complete.
const SUPERVISOR = `bash -c "$1" & echo $! >"$0/pid"; wait $!; echo $? >"$0/part"; mv "$0/part" "$0/status"`;

/** A command that runs on a host in the background. It ends with its host, at the latest with the lab. */
export class Background {
  private static started = 0;

  private constructor(
    private readonly lab: Lab,
    readonly host: Host,
    /** The pid of a simple command, otherwise of the shell that runs it. */
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

  /** Its output so far: stdout and stderr mixed. */
  async output(): Promise<string> {
    return await this.lab.output(this.host, `cat ${this.directory}/output`);
  }

  /** Waits until its output matches. Returns the output. */
  async waitForOutput(pattern: string, options: { timeoutMs?: number } = {}): Promise<string> {
    const search = shellCommand('grep', '-qE', '-e', pattern, `${this.directory}/output`);
    await this.wait(search, `${pattern} in its output`, options.timeoutMs);
    return await this.output();
  }

  /** Waits for its end. Returns the exit status of the shell: 128 and more means a signal. */
  async waitForExit(options: { timeoutMs?: number } = {}): Promise<number> {
    await this.wait(`[ -e ${this.directory}/status ]`, 'end', options.timeoutMs);
    return Number(await this.lab.output(this.host, `cat ${this.directory}/status`));
  }

  async signal(name: 'TERM' | 'INT' | 'KILL' | 'STOP' | 'CONT' | 'HUP' | 'USR1'): Promise<void> {
    await this.lab.output(this.host, `kill -${name} ${this.pid}`);
  }

  private async wait(condition: string, expected: string, timeoutMs = WAIT_MS): Promise<void> {
    const { status } = await this.lab.run(this.host, `until ${condition}; do sleep 0.1; done`, { timeoutMs });
    if (status === 0) return;
    throw new Error(
      `process ${this.pid} on ${this.host}: no ${expected} after ${timeoutMs} ms; output: ${await this.output()}`,
    );
  }
}
