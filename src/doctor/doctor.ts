import { hostFacts } from '../feeder/host/host-facts.ts';
import { readFeeder } from '../feeder/runtime/pid-file.ts';
import { runtimeDirectory } from '../feeder/runtime/queue-record.ts';
import { formerHostName } from '../feeder/runtime/renamed-host.ts';
import { errorCode } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import { findStrayFiles } from '../queue/files/stray-files.ts';
import { mountOf } from '../queue/mount.ts';
import { type Node, readNodes } from '../queue/nodes/nodes.ts';
import type { Queue } from '../queue/open.ts';
import { type DatabaseFacts, databaseFacts } from '../queue/recovery/database-facts.ts';
import type { Look } from '../queue/transaction/look.ts';
import { compareNodes, missingFeederFindings, versionFindings } from './comparison.ts';
import { type CronFacts, cronFindings } from './cron.ts';
import { checkKeptJournal, databaseFindings } from './database.ts';
import { type Check, type Finding, notChecked, runCheck } from './finding.ts';
import { checkLease } from './lease.ts';
import { checkLeftovers, strayFileFindings } from './leftovers.ts';
import { mountFindings } from './mount.ts';
import { liveNodes, loginFindings, runningFindings, silentNodeFindings } from './nodes.ts';
import { checkFolders, checkPermissions } from './permissions.ts';
import { withProbe } from './probe.ts';
import { checkProbe, type ProbeResults } from './probe-checks.ts';
import { checkRuntime, renamedFindings } from './runtime.ts';
import { databaseBytes, freeSpace, inodeFindings, spaceFindings } from './space.ts';

export interface DoctorOptions {
  readonly version: string;
  /** The command line that runs this program. */
  readonly program: readonly string[];
  /** Also compare the indexes of the database with its tables. */
  readonly isFull: boolean;
  /** Hosts that must have a feeder and are compared. Undefined: compare all hosts with a living feeder. */
  readonly named: readonly string[] | undefined;
  readonly crontab: () => Promise<CronFacts>;
  readonly say: (line: string) => void;
}

/** Makes all checks on this host, one after another. Temporary files are removed again. A check that fails is a finding. */
export async function examineQueue(queue: Queue, options: DoctorOptions): Promise<Check[]> {
  const probed = await withProbe(queue, (probe) => checkProbe(queue, probe, options.program));
  return await new Examination(queue, options, probed).run();
}

class Examination {
  private readonly checks: Check[] = [];
  private readonly serverNowMs: number;

  constructor(
    private readonly queue: Queue,
    private readonly options: DoctorOptions,
    private readonly probed: ProbeResults,
  ) {
    this.serverNowMs = probed.serverNowMs ?? Date.parse(queue.clock.now());
  }

  async run(): Promise<Check[]> {
    const { queue, probed } = this;
    const { directory } = queue;
    await this.check('mount', () => mountFindings(mountOf(directory), queue.locking));
    this.checks.push(...probed.checks);
    await this.check('space', () => [
      ...probed.space,
      ...spaceFindings(freeSpace(directory), databaseBytes(directory)),
    ]);
    await this.check('inodes', () => inodeFindings(freeSpace(directory)));
    await this.check('folders', () => checkFolders(directory));
    await this.check('permissions', () => checkPermissions(directory));
    const { clock } = queue;
    await this.check('lease', () =>
      checkLease(directory, { clock, serverNowMs: this.serverNowMs, say: this.options.say }),
    );
    // Nodes are read before and after the jobs, because a feeder can start or stop meanwhile.
    const nodes = this.nodesNow();
    const facts = await this.checkDatabase();
    await this.check('files', async () => strayFileFindings(await this.strayFiles(facts), directory));
    await this.check('leftovers', () => checkLeftovers(queue, this.serverNowMs));
    await this.checkNodes(facts, nodes);
    const runtime = runtimeDirectory(directory);
    await this.check('runtime', () => [...checkRuntime(runtime), ...renamedFindings(formerHostName(directory))]);
    await this.check('cron', async () => {
      const hasFeeder = readFeeder(runtime) !== undefined;
      return cronFindings(await this.options.crontab(), { hasFeeder, queueDirectory: directory });
    });
    return this.checks;
  }

  private async checkDatabase(): Promise<Look<DatabaseFacts>> {
    const { queue, probed } = this;
    let facts: Look<DatabaseFacts> = { kind: 'failed', why: 'locks do not work on this mount' };
    await this.check('database', async () => {
      // If locks do not work, a process may wait for one forever.
      if (!probed.hasLocks)
        return [
          notChecked('doctor did not read the database: locks do not work on this mount', 'see the check "locks"'),
        ];
      facts = await databaseFacts(queue, this.options.isFull);
      return [...databaseFindings(facts, queue.directory), ...checkKeptJournal(queue.directory)];
    });
    return facts;
  }

  private async strayFiles(facts: Look<DatabaseFacts>): ReturnType<typeof findStrayFiles> {
    if (facts.kind !== 'seen') return facts;
    if (facts.seen.fault !== undefined) return { kind: 'damaged', why: facts.seen.fault };
    return await findStrayFiles(this.queue);
  }

  private async checkNodes(facts: Look<DatabaseFacts>, before: readonly Node[]): Promise<void> {
    const { queue, options, serverNowMs } = this;
    const of = { queueDirectory: queue.directory, serverNowMs };
    const nodes = this.nodesNow();
    const running = facts.kind === 'seen' ? facts.seen.running : undefined;
    await this.check('nodes', () => silentNodeFindings(nodes, running ?? new Map<string, number>(), of));
    await this.check('running', () => {
      if (running !== undefined) return runningFindings([...before, ...nodes], running, of);
      return [notChecked('doctor does not know which jobs are running', 'see the check "database"')];
    });
    await this.check('login', () => loginFindings(liveNodes(nodes, serverNowMs)));
    await this.check('versions', () => versionFindings(nodes, options.version));
    await this.check('hosts', () => this.compare(nodes));
  }

  private compare(nodes: readonly Node[]): Finding[] {
    const { queue, options, serverNowMs } = this;
    const { named } = options;
    const own = { facts: hostFacts(queue.directory, 0), locking: queue.locking };
    if (named === undefined) {
      const others = liveNodes(nodes, serverNowMs).filter((node) => node.host !== hostName());
      return compareNodes(others, own);
    }
    const asked = nodes.filter(({ host, isLost }) => !isLost && named.includes(host));
    return [...missingFeederFindings(asked, named, queue.directory), ...compareNodes(asked, own)];
  }

  /** Empty if `nodes/` cannot be read, which another check reports. */
  private nodesNow(): Node[] {
    try {
      return readNodes(this.queue.directory);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return [];
    }
  }

  /** Makes a check. An error of the file system or SQLite is a finding. */
  private async check(name: string, work: () => readonly Finding[] | Promise<readonly Finding[]>): Promise<void> {
    this.checks.push({ name, findings: await runCheck(work) });
  }
}
