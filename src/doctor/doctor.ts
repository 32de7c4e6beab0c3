import { hostFacts } from '../feeder/host/host-facts.ts';
import { readFeeder } from '../feeder/pid-file.ts';
import { errorCode } from '../job/errors.ts';
import { hostName } from '../job/host.ts';
import { runtimeDirectory } from '../job/runtime-directory.ts';
import { findStrayFiles } from '../queue/files/stray-files.ts';
import { mountOf } from '../queue/mount.ts';
import { type Node, readNodes } from '../queue/nodes/nodes.ts';
import type { Queue } from '../queue/open.ts';
import { type DatabaseFacts, databaseFacts } from '../queue/recovery/database-facts.ts';
import type { Look } from '../queue/transaction/look.ts';
import { findingsOf } from './attempt.ts';
import { compareNodes, judgeNamed, judgeVersions } from './comparison.ts';
import { type CronFacts, judgeCron } from './cron.ts';
import { checkKeptJournal, judgeDatabase } from './database.ts';
import { type Check, type Finding, notChecked } from './finding.ts';
import { checkLease } from './lease.ts';
import { checkLeftovers, judgeStrays } from './leftovers.ts';
import { judgeMount } from './mount.ts';
import { judgeBeats, judgeRunning, living } from './nodes.ts';
import { checkFolders, checkPermissions } from './permissions.ts';
import { withProbe } from './probe.ts';
import { checkRuntime } from './runtime.ts';
import { databaseBytes, judgeInodes, judgeSpace, roomAt } from './space.ts';
import { type Tried, tryOut } from './try-out.ts';

export interface DoctorOptions {
  readonly version: string;
  /** The words that run this program again. */
  readonly program: readonly string[];
  /** Check all of the database, and its indexes against their tables. */
  readonly isFull: boolean;
  /** Hosts whose feeders have to report, and alone are compared; undefined: all that do. */
  readonly named: readonly string[] | undefined;
  readonly crontab: () => Promise<CronFacts>;
  readonly say: (line: string) => void;
}

/**
 * Checks all that a queue needs, from this host, one thing after another. Changes nothing but files that it makes and
 * removes. What cannot be looked at is said to be so; throws only what is wrong with rq itself.
 */
export async function examineQueue(queue: Queue, options: DoctorOptions): Promise<Check[]> {
  const tried = await withProbe(queue, (probe) => tryOut(queue, probe, options.program));
  return await new Examination(queue, options, tried).run();
}

class Examination {
  private readonly checks: Check[] = [];
  private readonly serverNowMs: number;

  constructor(
    private readonly queue: Queue,
    private readonly options: DoctorOptions,
    private readonly tried: Tried,
  ) {
    this.serverNowMs = tried.serverNowMs ?? Date.parse(queue.clock.now());
  }

  async run(): Promise<Check[]> {
    const { queue, tried } = this;
    const { directory } = queue;
    await this.check('mount', () => judgeMount(mountOf(directory), queue.locking));
    this.checks.push(...tried.checks);
    await this.check('space', () => [...tried.space, ...judgeSpace(roomAt(directory), databaseBytes(directory))]);
    await this.check('inodes', () => judgeInodes(roomAt(directory)));
    await this.check('folders', () => checkFolders(directory));
    await this.check('permissions', () => checkPermissions(directory));
    const { clock } = queue;
    await this.check('lease', () =>
      checkLease(directory, { clock, serverNowMs: this.serverNowMs, say: this.options.say }),
    );
    // Before and after the jobs are read: a feeder may come or go meanwhile.
    const nodes = this.nodesNow();
    const facts = await this.checkDatabase();
    await this.check('files', async () => judgeStrays(await this.strayFiles(facts), directory));
    await this.check('leftovers', () => checkLeftovers(queue, this.serverNowMs));
    await this.checkNodes(facts, nodes);
    const runtime = runtimeDirectory(directory);
    await this.check('runtime', () => checkRuntime(runtime));
    await this.check('cron', async () => {
      const hasFeeder = readFeeder(runtime) !== undefined;
      return judgeCron(await this.options.crontab(), { hasFeeder, queueDirectory: directory });
    });
    return this.checks;
  }

  private async checkDatabase(): Promise<Look<DatabaseFacts>> {
    const { queue, tried } = this;
    let facts: Look<DatabaseFacts> = { kind: 'failed', why: 'locks do not work here' };
    await this.check('database', async () => {
      // To take a lock where they do not work may mean to wait for ever.
      if (!tried.hasLocks) return [notChecked('it was not read: locks do not work here', 'see what is said of locks')];
      facts = await databaseFacts(queue, this.options.isFull);
      return [...judgeDatabase(facts, queue.directory), ...checkKeptJournal(queue.directory)];
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
    await this.check('nodes', () => judgeBeats(nodes, running ?? new Map<string, number>(), of));
    await this.check('running', () => {
      if (running !== undefined) return judgeRunning([...before, ...nodes], running, of);
      return [notChecked('which jobs run is not known', 'see what is said of the database')];
    });
    await this.check('versions', () => judgeVersions(nodes, options.version));
    await this.check('hosts', () => this.compare(nodes));
  }

  private compare(nodes: readonly Node[]): Finding[] {
    const { queue, options, serverNowMs } = this;
    const { named } = options;
    const own = { facts: hostFacts(queue.directory, 0), locking: queue.locking };
    if (named === undefined) {
      const others = living(nodes, serverNowMs).filter((node) => node.host !== hostName());
      return compareNodes(others, own);
    }
    const asked = nodes.filter(({ host, isLost }) => !isLost && named.includes(host));
    return [...judgeNamed(asked, named, queue.directory), ...compareNodes(asked, own)];
  }

  /** None where they cannot be read, which is found elsewhere. */
  private nodesNow(): Node[] {
    try {
      return readNodes(this.queue.directory);
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      return [];
    }
  }

  /** Adds a check; what the file system or SQLite says against it is a finding too. */
  private async check(name: string, look: () => readonly Finding[] | Promise<readonly Finding[]>): Promise<void> {
    this.checks.push({ name, findings: await findingsOf(look) });
  }
}
