import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Journal } from '../journal/journal.ts';
import type { StartRecords } from '../journal/start-records.ts';
import type { RunnerLog } from '../log.ts';
import { findAttempts } from '../processes/find-attempts.ts';
import type { Leader } from '../processes/leader.ts';
import type { Environment } from '../protocol/fields.ts';
import { fileFailure, startFailure, systemError, systemMessage } from './start-failure.ts';
import {
  type AttemptEnd,
  endUnknown,
  type Starter,
  type StartObserver,
  type StartRequest,
  startFailed,
} from './starter.ts';

const PROGRAM = fileURLToPath(new URL('fork-server.py', import.meta.url));
const MAY_HAVE_RUN = 'the fork server was killed while it started the job; the job may have run';
const READY_TIMEOUT_MS = 10_000;
const SEARCH_RETRY_MS = 1_000;
const FIRST_REAL_TIME_SIGNAL = 34;

export interface ForkServerOptions {
  readonly python: string;
  readonly bash: string;
  /** The descriptor that holds the lock of the runtime directory. Every child has it until it execs. */
  readonly lock: number;
  readonly startRecords: StartRecords;
  readonly journal: Journal;
  readonly log: RunnerLog;
  /** Called after the process has ended, with the requests that it did not begin. */
  readonly onEnd: (notBegun: readonly [StartRequest, StartObserver][], wasReady: boolean) => void;
}

interface Entry {
  readonly request: StartRequest;
  readonly observer: StartObserver;
  isStarted: boolean;
  isCancelled: boolean;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/**
 * A small Python process that starts jobs. A fork of Node copies the page tables of 55 MB and takes 2 ms of its main
 * thread. The fork server uses posix_spawn, which copies none, and runs on another core. It reports exact wait statuses,
 * also for real-time signals. docs/runner-protocol.md specifies its messages.
 */
export class ForkServer implements Starter {
  private readonly child: Child;
  private readonly entries = new Map<string, Entry>();
  private isReady = false;
  private incompleteLine = '';

  constructor(private readonly options: ForkServerOptions) {
    const { python, bash, startRecords, lock } = options;
    const child = spawn(python, ['-I', '-S', PROGRAM, bash, startRecords.path], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit', lock],
    });
    // The type declarations have no overload for a fourth descriptor.
    this.child = child as unknown as Child;
    this.child.on('error', (error) => options.log.failed('start the fork server', error));
    // A write fails if the process has ended. The close of its stdout reports the same.
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.setEncoding('latin1').on('data', (text: string) => this.receive(text));
    const readyTimer = setTimeout(() => {
      if (!this.isReady) this.child.kill('SIGKILL');
    }, READY_TIMEOUT_MS);
    this.child.stdout.on('close', () => {
      clearTimeout(readyTimer);
      this.handleEnd();
    });
  }

  environment(base: Environment): void {
    this.send(['environment', ...Object.entries(base).flat()]);
  }

  slots(slots: number): void {
    this.send(['slots', Number.isFinite(slots) ? String(slots) : '']);
  }

  cancel(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined || entry.isStarted) return;
    entry.isCancelled = true;
    this.send(['cancel', name]);
  }

  start(request: StartRequest, observer: StartObserver): void {
    const { name, bashArguments, env } = request;
    const { cwd, stdin, stdout, stderr } = request.request;
    const files = [stdin, stdout, stderr].map((path) => path ?? '');
    this.entries.set(name, { request, observer, isStarted: false, isCancelled: false });
    const variables = Object.entries(env).flat();
    this.send(['start', name, cwd, ...files, String(bashArguments.length), ...bashArguments, ...variables]);
  }

  private send(fields: readonly string[]): void {
    const text = fields.join('\0');
    const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
    bytes.writeUInt32BE(bytes.length - 4);
    bytes.write(text, 4);
    const { stdin } = this.child;
    // Sends the requests of one turn of the event loop with one write.
    if (stdin.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => stdin.uncork());
    }
    stdin.write(bytes);
  }

  private receive(text: string): void {
    const lines = (this.incompleteLine + text).split('\n');
    this.incompleteLine = lines.pop() ?? '';
    for (const line of lines) this.handle(line.split(' '));
  }

  private handle([type, name = '', first = '', second = '', third = '']: readonly string[]): void {
    if (type === 'ready') this.isReady = true;
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    switch (type) {
      case 'started':
        entry.isStarted = true;
        entry.observer.onStarted(parseLeader(first, second), Number(third));
        break;
      case 'failed':
        this.entries.delete(name);
        entry.observer.onEnd(startFailed(failureReason(entry.request, first, Number(second))));
        break;
      case 'ended':
        this.entries.delete(name);
        entry.observer.onEnd(endOf(Number(first)), Number(second));
        break;
      case 'cancelled':
        this.entries.delete(name);
        entry.observer.onCancelled();
        break;
      default:
        break;
    }
  }

  /** Called when stdout closes. Every child has exec'ed or ended by then, because a child has stdout until it execs. */
  private handleEnd(): void {
    const { startRecords, journal, log, onEnd } = this.options;
    const entries = [...this.entries.values()];
    const records = startRecords.read(journal.id);
    const hasBegun = ({ request, isStarted }: Entry): boolean => isStarted || (records?.has(request.name) ?? true);
    const leaders = this.findLeaders(entries.filter((entry) => !entry.isStarted && hasBegun(entry)));
    if (leaders === undefined) {
      // Until the search succeeds, no attempt is reported as ended and no request begins: a job might run twice.
      setTimeout(() => this.handleEnd(), SEARCH_RETRY_MS);
      return;
    }
    this.entries.clear();
    log.forkServerEnded(entries.length);
    for (const { observer, isStarted } of entries) if (isStarted) observer.onOrphaned();
    for (const [{ observer }, leader] of leaders) {
      if (leader === undefined) observer.onEnd(endUnknown(MAY_HAVE_RUN));
      else {
        observer.onStarted(leader);
        observer.onOrphaned();
      }
    }
    const notBegun = entries.filter((entry) => !hasBegun(entry));
    // The next starter overwrites the start records, so the journal must be complete before.
    const isFlushed = journal.flush();
    const isWanted = ({ isCancelled }: Entry): boolean => isFlushed && !isCancelled;
    for (const entry of notBegun) if (!isWanted(entry)) entry.observer.onCancelled();
    const wanted = notBegun.filter(isWanted);
    onEnd(
      wanted.map(({ request, observer }) => [request, observer]),
      this.isReady,
    );
  }

  /** Finds the processes of attempts that may have started. Undefined if /proc cannot be read now. */
  private findLeaders(entries: readonly Entry[]): [Entry, Leader | undefined][] | undefined {
    const idOf = ({ request }: Entry): string => request.env['RQ_ATTEMPT_ID'] ?? '';
    try {
      const found = findAttempts(new Set(entries.map(idOf)));
      return entries.map((entry) => [entry, found.get(idOf(entry))]);
    } catch (error) {
      this.options.log.failed('search for the attempts of the fork server', error);
      return undefined;
    }
  }
}

/** The fork server reports an unknown start time as 0. */
function parseLeader(pid: string, startTime: string): Leader {
  return { pid: Number(pid), start_time: Number(startTime) || null };
}

function failureReason({ request }: StartRequest, step: string, errno: number): string {
  const error = errno === 0 ? 'not a regular file' : systemError(errno);
  if (step === 'stdin' || step === 'stdout' || step === 'stderr') return fileFailure(step, request[step] ?? '', error);
  if (step === 'record') return `cannot record the start of the job: ${systemMessage(error)}`;
  return startFailure(error, request.cwd);
}

/** Converts a wait status (waitpid(2)). */
function endOf(status: number): AttemptEnd {
  const signal = status & 127;
  const common = { reason: null, isLost: false };
  if (signal === 0) return { exit_status: status >> 8, signal: null, ...common };
  return { exit_status: null, signal: signalName(signal), ...common };
}

/** Real-time signals have the names that bash gives them: SIGRTMIN, SIGRTMIN+1. */
function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  if (found !== undefined) return found[0];
  const above = number - FIRST_REAL_TIME_SIGNAL;
  if (above < 0) return `SIG${number}`;
  return above === 0 ? 'SIGRTMIN' : `SIGRTMIN+${above}`;
}
