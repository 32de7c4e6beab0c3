import { join } from 'node:path';
import { errorCode } from '../job/errors.ts';
import { pidNamespace } from '../job/host.ts';
import { resourcesText } from '../job/placement/needs.ts';
import { processStartTime } from '../job/process.ts';
import { ensurePrivateDirectory, ensureRuntimeDirectory, runtimeRoot } from '../job/runtime-directory.ts';
import { FeederEvents } from '../log/events.ts';
import { sweepStagedFiles } from '../queue/files/staged-sweep.ts';
import { sweepAbandoned } from '../queue/files/temporary-names.ts';
import { determineIdentity, type Identity } from '../queue/identity.ts';
import { changeNodeFile } from '../queue/nodes/node-file.ts';
import { HEARTBEAT_MS, nodePath } from '../queue/nodes/nodes.ts';
import { openQueue, type Queue } from '../queue/open.ts';
import { readServerClock } from '../queue/server-clock.ts';
import { requireCurrentSchema } from '../queue/transaction/read.ts';
import { refuseReadOnly } from '../queue/transaction/transaction.ts';
import { documentText } from '../yaml/document.ts';
import { allowGroupAccess } from './daemon.ts';
import { EndRequest } from './end-request.ts';
import { feedError } from './feed-error.ts';
import { Feeder } from './feeder.ts';
import { HostGpus } from './gpus/host-gpus.ts';
import { ClusterMembership } from './host/cluster-membership.ts';
import type { NodeFacts } from './host/heartbeat.ts';
import { hostFacts } from './host/host-facts.ts';
import { refuseHostNameConflict } from './host/host-name-conflict.ts';
import type { HostResources } from './host/resources.ts';
import { IdentityCheck } from './runtime/identity-check.ts';
import { DirectoryMark, movedError, replaceFeeder } from './runtime/moved-queue.ts';
import { releasePidFile } from './runtime/pid-file.ts';
import { recordQueue, runtimeDirectoryOf, ServedGeneration, servedGeneration } from './runtime/queue-record.ts';
import { refuseRenamedHost } from './runtime/renamed-host.ts';
import { type FeederSettings, type FeedOptions, feederSettings } from './settings.ts';
import { FeederSignals } from './signals.ts';
import { RunnerLink } from './start/runner-link.ts';
import { refuseUntrusted, refuseWithoutLocks, rootWarning } from './trust.ts';

/** A host sends at least this many heartbeats within `lost_after`. */
const HEARTBEATS_UNTIL_LOST = 6;

/**
 * Feeds from a queue until it is asked to end. Returns 'restart' if the feeder is to be started again. Throws
 * FEEDER_EXISTS, QUEUE_UNSAFE, RUNNER, and the errors of a queue that cannot be used.
 */
export async function feed(options: FeedOptions): Promise<'ended' | 'restart'> {
  const queue = await openQueue(options.queuePath, {
    lockTimeoutMs: options.lockTimeoutMs,
    activity: options.activity,
  });
  if (queue.isShared) allowGroupAccess();
  refuseReadOnly(queue);
  await requireCurrentSchema(queue);
  refuseUntrusted(queue.directory, options.trustGroup);
  refuseWithoutLocks(queue);
  // What another user could have written must not decide whether the queue is a copy.
  ensurePrivateDirectory(runtimeRoot());
  const identity = await determineIdentity(queue, (id) => servedGeneration(runtimeDirectoryOf(id)));
  const runtime = runtimeDirectoryOf(identity.id);
  ensureRuntimeDirectory(runtime);
  refuseRenamedHost(queue.directory);
  const settings = await feederSettings(queue, options);
  const { host, slots } = settings;
  try {
    await replaceFeeder(runtime, { since: queue.clock.now(), slots, host, queue: queue.directory }, queue.clock);
    recordQueue(runtime, queue, identity);
    await refuseHostNameConflict(queue.directory, host, runtime, queue.clock);
    sweepAbandoned(join(queue.directory, 'nodes'), queue.clock);
    await sweepStagedFiles(queue);
    queue.close();
    const reserved = await HostGpus.reserve({
      // A feeder that only ends jobs gives no GPUs to others.
      choice: options.stopAtOnce === true ? { kind: 'none' } : options.gpus,
      runtimeDirectory: runtime,
      queueDirectory: queue.directory,
      environment: process.env,
    });
    return await new FeederProcess(queue, { directory: runtime, identity }, settings, options, reserved).run();
  } catch (error) {
    throw feedError(error, queue.directory);
  } finally {
    queue.close();
    releasePidFile(runtime);
  }
}

/** The process of a feeder: its signals, its runner, its heartbeat, and the loop of the feeder. */
class FeederProcess {
  private readonly events: FeederEvents;
  private readonly endRequest = new EndRequest();
  private readonly signals = new FeederSignals(this.endRequest);
  private readonly link: RunnerLink;
  private readonly resources: HostResources;

  constructor(
    private readonly queue: Queue,
    private readonly runtime: { readonly directory: string; readonly identity: Identity },
    private readonly settings: FeederSettings,
    private readonly options: FeedOptions,
    private readonly reserved: { readonly gpus: HostGpus | undefined; readonly warnings: readonly string[] },
  ) {
    this.events = new FeederEvents(options.logger);
    const { gpus } = reserved;
    this.resources = { cpus: settings.slots, memory: settings.memory, gpus, have: settings.have };
    this.link = new RunnerLink({
      queueDirectory: queue.directory,
      runtimeDirectory: runtime.directory,
      program: options.runnerProgram,
      slots: settings.slots,
      killGraceMs: settings.killGraceMs,
      gpus,
      launch: options.launch,
      clock: queue.clock,
      events: this.events,
    });
  }

  async run(): Promise<'ended' | 'restart'> {
    const { endRequest, events, link, options, queue, settings, signals } = this;
    // A signal that ended this process now would leave a runner that no feeder shuts down.
    signals.start();
    // The database is not open yet, so the runner inherits none of its file descriptors.
    await link.connect();
    const { isProgramReady } = options;
    const facts = this.nodeFacts();
    const membership = new ClusterMembership(queue, facts, settings.lostAfterMs, events);
    const { directory, identity } = this.runtime;
    const served = new ServedGeneration(directory);
    const identityCheck = new IdentityCheck(queue, directory, identity);
    const feeder = new Feeder(queue, settings, {
      endRequest,
      events,
      isProgramReady,
      link,
      membership,
      identityCheck,
      served,
      resources: this.resources,
    });
    const mark = new DirectoryMark(queue.directory);
    signals.onWake = () => feeder.poller.pollNow();
    membership.start();
    link.login.onProblem = () => this.publish(facts);
    this.watchGpus(facts, () => feeder.poller.pollNow());
    const { host, slots } = settings;
    const runner = link.runner.pid;
    events.started({ queue: queue.directory, host, pid: process.pid, runner, slots, version: options.version });
    const warning = rootWarning(queue.directory);
    if (warning !== undefined && options.stopAtOnce !== true) events.feedsAsRoot(warning);
    if (options.stopAtOnce === true) endRequest.request('stop', 'rq stop');
    options.onReady?.(this.reserved.warnings);
    let isLeaving = false;
    try {
      const endKind = await feeder.run();
      isLeaving = endKind !== 'restart';
      if (isLeaving) events.ended({ reason: endKind ?? feeder.endReason, attempts: feeder.ended.count });
      else events.restarting();
      return isLeaving ? 'ended' : 'restart';
    } catch (error) {
      throw movedError(queue.directory, mark.change, error);
    } finally {
      mark.close();
      signals.stop();
      this.reserved.gpus?.stop();
      membership.stop(isLeaving);
      served.close();
      await link.close(isLeaving);
    }
  }

  /** Reports which GPUs other queues use, and waits for them. */
  private watchGpus(facts: NodeFacts, pollNow: () => void): void {
    const { gpus, warnings } = this.reserved;
    for (const line of warnings) this.events.gpuWarning(line);
    if (gpus === undefined) return;
    gpus.onChange = () => {
      this.publish(facts);
      pollNow();
    };
    gpus.start(this.events);
  }

  /** Writes changed facts. If the file is missing, the next heartbeat writes it. */
  private publish(facts: NodeFacts): void {
    try {
      changeNodeFile(nodePath(this.queue.directory, facts.host), documentText({ ...facts }));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.events.nodeFileFailed(error);
    }
  }

  private nodeFacts(): NodeFacts & { readonly login: string | undefined } {
    const { login } = this.link;
    const { cpus, memory, gpus, have } = this.resources;
    const { host, slots, lostAfterMs } = this.settings;
    const { clock, directory } = this.queue;
    const { boot, journal } = this.link.runner;
    const { pid } = process;
    return {
      host,
      pid,
      start_time: processStartTime(pid) ?? 0,
      namespace: pidNamespace(),
      boot,
      journal,
      runtime: this.runtime.directory,
      slots,
      cpus,
      memory,
      get gpus() {
        return gpus?.devices.length ?? 0;
      },
      have: resourcesText(have),
      version: this.options.version,
      started: clock.now(),
      beat: Math.min(HEARTBEAT_MS, lostAfterMs / HEARTBEATS_UNTIL_LOST) / 1000,
      ...hostFacts(directory, readServerClock(join(directory, 'nodes'), clock).offsetMs),
      get login() {
        return login.problem;
      },
    };
  }
}
