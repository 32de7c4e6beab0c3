import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { Background } from './background.ts';
import { programEnvironment } from './program.ts';
import { parseMountstats, type RpcCounts } from './rpc-counts.ts';

export type Client = `n${number}`;
/** `server2` is a second server, without the share; its address is SERVER2. */
export type Host = 'server' | 'server2' | Client;

export interface LabOptions {
  /** The number of clients. They are called n1, n2, … */
  readonly clients: number;
  /** As in `mount -o`. The default is vers=4.2,hard. */
  readonly mountOptions?: string;
  /** Replaces `mountOptions` for single clients. */
  readonly mountOptionsOf?: Readonly<Partial<Record<Client, string>>>;
  /** The seconds by which the clock of a host is ahead; negative if it is behind. */
  readonly skew?: Readonly<Partial<Record<Host, number>>>;
  /** The memory of each host, such as 400M. */
  readonly memory?: string;
  /** The size of the share, such as 2G. */
  readonly disk?: string;
}

/** The output of a command (stdout and stderr mixed), and its exit status: 124 after a timeout. */
export interface RunResult {
  readonly status: number;
  readonly output: string;
}

/** The mount point of the share on every client. */
export const SHARE = '/mnt/q';
export const SERVER2 = '10.77.0.9';

const SCRIPT = fileURLToPath(new URL('../lab/lab', import.meta.url));
const RUN_MS = 60_000;
const CONTROL_MS = 200_000;
const ANSWER_MS = 20_000;

/** An NFS server and its clients, each with its own Linux kernel. `../lab/lab` describes their file systems. */
export class Lab {
  private static count = 0;

  private constructor(
    private readonly environment: Readonly<Record<string, string>>,
    readonly clients: readonly Client[],
  ) {}

  /** Boots the server and the clients, which mount the share. Ends all of them if one fails to boot. */
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

  /** Runs a shell command on a host. Throws if the host does not answer because it is frozen or off. */
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

  /** The output of a command, which has to succeed. */
  async output(host: Host, command: string, options: { timeoutMs?: number } = {}): Promise<string> {
    const { status, output } = await this.run(host, command, options);
    if (status !== 0) throw new Error(`on ${host}, exit status ${status}: ${command}\n${output}`);
    return output;
  }

  /** Starts a command in the background. */
  async start(host: Host, command: string): Promise<Background> {
    return await Background.start(this, host, command);
  }

  /** Cuts the power of a host. Data that it had not yet written to its disk or to the server is lost. */
  async kill(host: Host): Promise<void> {
    await this.control('kill', host);
  }

  /** Boots a host in any state. A client is ready when the server has answered. */
  async boot(host: Host): Promise<void> {
    await this.control('boot', host);
  }

  /** Stops a host including its kernel. It does not answer. */
  async freeze(host: Host): Promise<void> {
    await this.control('freeze', host);
  }

  async thaw(host: Host): Promise<void> {
    await this.control('thaw', host);
  }

  /** Disconnects a host from the share. Commands can still be run on it. */
  async cut(host: Host): Promise<void> {
    await this.control('cut', host);
  }

  async heal(host: Host): Promise<void> {
    await this.control('heal', host);
  }

  /** Ends all hosts, also after an incomplete start. May be called again. */
  async down(): Promise<void> {
    await this.control('down');
  }

  /** The requests of a client since it mounted the share; subtract two counts to get the requests in between. */
  async rpcCounts(client: Client, mountPoint = SHARE): Promise<RpcCounts> {
    return parseMountstats(await this.output(client, 'cat /proc/self/mountstats'), mountPoint);
  }

  private async control(...words: string[]): Promise<void> {
    await execa(SCRIPT, words, { env: this.environment, timeout: CONTROL_MS });
  }
}

/** The reason why this machine cannot run a lab, and what to do. Undefined if it can. */
export function clusterSkipReason(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'User Mode Linux needs Linux on x86-64';
  const missing = execFileSync(SCRIPT, ['missing'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  if (missing.length > 0) return `apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) return 'only root can create its network: run the tests as root';
  try {
    execFileSync('unshare', ['--net', '--pid', '--fork', 'true'], { stdio: 'ignore' });
  } catch {
    return 'this container cannot create network namespaces: run it privileged';
  }
  return undefined;
}

function labEnvironment(options: LabOptions, name: string): Record<string, string> {
  const environment: Record<string, string> = {
    LAB_NAME: name,
    // A value from outside would be shared by all labs.
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
