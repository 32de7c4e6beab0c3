import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { Background } from './background.ts';
import { programEnvironment } from './program.ts';
import { parseMountstats, type RpcCounts } from './rpc-counts.ts';

export type Client = `n${number}`;
export type Host = 'server' | Client;

export interface LabOptions {
  /** How many: they are called n1, n2, … */
  readonly clients: number;
  /** As for `mount -o`; by default vers=4.2,hard. */
  readonly mountOptions?: string;
  /** For single clients, instead of `mountOptions`. */
  readonly mountOptionsOf?: Readonly<Partial<Record<Client, string>>>;
  /** Seconds that a host's clock is ahead; negative: behind. */
  readonly skew?: Readonly<Partial<Record<Host, number>>>;
  /** Memory of each host, with a unit, such as 400M. */
  readonly memory?: string;
  /** Size of the share, with a unit, such as 2G. */
  readonly disk?: string;
}

/** What a command printed (stdout and stderr mixed), and its exit status: 124 if it took too long. */
export interface RunResult {
  readonly status: number;
  readonly output: string;
}

/** Where every client has the share. */
export const SHARE = '/mnt/q';

const SCRIPT = fileURLToPath(new URL('../lab/lab', import.meta.url));
const RUN_MS = 60_000;
const CONTROL_MS = 200_000;
const ANSWER_MS = 20_000;

/** A server and clients of NFS, each a Linux kernel of its own. See `../lab/lab` for what they see and keep. */
export class Lab {
  private static count = 0;

  private constructor(
    private readonly environment: Readonly<Record<string, string>>,
    readonly clients: readonly Client[],
  ) {}

  /** Boots server and clients, all with the share mounted. Takes them down again if one of them fails to come up. */
  static async up(options: LabOptions): Promise<Lab> {
    const clients = Array.from({ length: options.clients }, (_, index): Client => `n${index + 1}`);
    const lab = new Lab(labEnvironment(options, `test-${process.pid}-${++Lab.count}`), clients);
    try {
      await lab.control('up', String(options.clients));
    } catch (error) {
      await lab.down();
      throw error;
    }
    return lab;
  }

  /** Runs a shell command in a host. Throws if the host does not answer: it is frozen, or off. */
  async run(host: Host, command: string, options: { timeoutMs?: number } = {}): Promise<RunResult> {
    const { timeoutMs = RUN_MS } = options;
    const { exitCode, stdout, stderr, shortMessage } = await execa(SCRIPT, ['run', host, command], {
      env: { ...this.environment, LAB_TIMEOUT: String(Math.ceil(timeoutMs / 1000)) },
      reject: false,
      stripFinalNewline: false,
      timeout: timeoutMs + ANSWER_MS,
    });
    if (exitCode === undefined || stderr !== '')
      throw new Error(`cannot run a command on ${host}: ${stderr || shortMessage}`);
    return { status: exitCode, output: stdout };
  }

  /** What a command printed that has to succeed. */
  async output(host: Host, command: string, options: { timeoutMs?: number } = {}): Promise<string> {
    const { status, output } = await this.run(host, command, options);
    if (status !== 0) throw new Error(`on ${host}, exit status ${status}: ${command}\n${output}`);
    return output;
  }

  /** Starts a command and does not wait for it. */
  async start(host: Host, command: string): Promise<Background> {
    return await Background.start(this, host, command);
  }

  /** Cuts a host's power: what it had not yet written to its disk, or to the server, is lost. */
  async kill(host: Host): Promise<void> {
    await this.control('kill', host);
  }

  /** Boots a host, whatever state it is in; a client comes back when the server has answered. */
  async boot(host: Host): Promise<void> {
    await this.control('boot', host);
  }

  /** Stops a host as a whole, its kernel too: it answers nothing. */
  async freeze(host: Host): Promise<void> {
    await this.control('freeze', host);
  }

  async thaw(host: Host): Promise<void> {
    await this.control('thaw', host);
  }

  /** Pulls a host's cable to the share; commands can still be run in it. */
  async cut(host: Host): Promise<void> {
    await this.control('cut', host);
  }

  async heal(host: Host): Promise<void> {
    await this.control('heal', host);
  }

  /** Ends everything, however far it came; harmless when called again. */
  async down(): Promise<void> {
    await this.control('down');
  }

  /** How often a client asked the server since it mounted the share; two of them give what was done in between. */
  async rpcCounts(client: Client, mountPoint = SHARE): Promise<RpcCounts> {
    return parseMountstats(await this.output(client, 'cat /proc/self/mountstats'), mountPoint);
  }

  private async control(...words: string[]): Promise<void> {
    await execa(SCRIPT, words, { env: this.environment, timeout: CONTROL_MS });
  }
}

/** Why no lab can be had on this machine, and what to do; undefined if one can. */
export function clusterSkipReason(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'User Mode Linux needs Linux on x86-64';
  const missing = execFileSync(SCRIPT, ['missing'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  if (missing.length > 0) return `apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) return 'only root can make its network: run the tests as root';
  try {
    execFileSync('unshare', ['--net', '--pid', '--fork', 'true'], { stdio: 'ignore' });
  } catch {
    return 'this container may not make network namespaces: run it privileged';
  }
  return undefined;
}

function labEnvironment(options: LabOptions, name: string): Record<string, string> {
  const environment: Record<string, string> = {
    LAB_NAME: name,
    // One that is set outside would be shared by all labs.
    LAB_DIR: '',
    LAB_OWNER: String(process.pid),
    ...programEnvironment(),
  };
  if (options.mountOptions !== undefined) environment['LAB_OPTIONS'] = options.mountOptions;
  if (options.memory !== undefined) environment['LAB_MEMORY'] = options.memory;
  if (options.disk !== undefined) environment['LAB_DISK'] = options.disk;
  for (const [host, value = ''] of Object.entries(options.mountOptionsOf ?? {})) {
    environment[`LAB_OPTIONS_${host}`] = value;
  }
  for (const [host, seconds = 0] of Object.entries(options.skew ?? {})) {
    environment[`LAB_SKEW_${host}`] = String(seconds);
  }
  return environment;
}
