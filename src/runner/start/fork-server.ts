import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findAttempts } from '../adopt.ts';
import type { Leader } from '../grace.ts';
import type { BegunRecords } from '../journal/begun-records.ts';
import type { Journal } from '../journal/journal.ts';
import type { RunnerLog } from '../log.ts';
import type { Environment } from '../protocol/protocol.ts';
import { fileFailure, startFailure, systemError, systemMessage } from './start-failure.ts';
import { type Attendant, type Ended, failed, lost, type Starter, type StartOrder } from './starter.ts';

const PROGRAM = fileURLToPath(new URL('fork-server.py', import.meta.url));
const MAYBE_STARTED = 'the process that forks jobs was killed while it started the job, which may have run';
/** To be ready; one that is not by then is taken for unfit. */
const READY_MS = 10_000;
const LOOK_AGAIN_MS = 1_000;
const FIRST_REAL_TIME_SIGNAL = 34;

export interface ForkServerOptions {
  readonly python: string;
  readonly bash: string;
  /** The file descriptor whose lock is to last until no child can become a job any more. */
  readonly lock: number;
  readonly begun: BegunRecords;
  /** Whose records they are. */
  readonly journal: Journal;
  readonly log: RunnerLog;
  /** It has ended, and what it did not begin with is handed back. False if it never came so far as to begin with any. */
  readonly onGone: (unbegun: readonly [StartOrder, Attendant][], wasFit: boolean) => void;
}

interface Entry {
  readonly order: StartOrder;
  readonly attendant: Attendant;
  isStarted: boolean;
  isCancelled: boolean;
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/**
 * A small Python process that starts jobs for this one. A fork of Node copies the page tables of 55 MB and takes 2 ms of
 * its main thread; that process starts them without a copy (posix_spawn), on another core. It tells true wait statuses,
 * those of real-time signals too. docs/runner-protocol.md has what is said between the two.
 */
export class ForkServer implements Starter {
  private readonly child: Child;
  private readonly entries = new Map<string, Entry>();
  private isFit = false;
  private rest = '';

  constructor(private readonly options: ForkServerOptions) {
    const { python, bash, begun, lock } = options;
    const child = spawn(python, ['-I', '-S', PROGRAM, bash, begun.path], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit', lock],
    });
    // The types know of no fourth file.
    this.child = child as unknown as Child;
    this.child.on('error', (error) => options.log.failed('start the fork server', error));
    // It is gone: the end of its words tells that.
    this.child.stdin.on('error', () => undefined);
    this.child.stdout.setEncoding('latin1').on('data', (text: string) => this.receive(text));
    const impatient = setTimeout(() => {
      if (!this.isFit) this.child.kill('SIGKILL');
    }, READY_MS);
    this.child.stdout.on('close', () => {
      clearTimeout(impatient);
      this.gone();
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

  start(order: StartOrder, attendant: Attendant): void {
    const { name, request, words, env } = order;
    const files = [request.stdin, request.stdout, request.stderr].map((path) => path ?? '');
    this.entries.set(name, { order, attendant, isStarted: false, isCancelled: false });
    this.send(['start', name, request.cwd, ...files, String(words.length), ...words, ...Object.entries(env).flat()]);
  }

  private send(fields: readonly string[]): void {
    const text = fields.join('\0');
    const bytes = Buffer.allocUnsafe(4 + Buffer.byteLength(text));
    bytes.writeUInt32BE(bytes.length - 4);
    bytes.write(text, 4);
    const { stdin } = this.child;
    // What is ordered in one turn goes out in one write.
    if (stdin.writableCorked === 0) {
      stdin.cork();
      process.nextTick(() => stdin.uncork());
    }
    stdin.write(bytes);
  }

  private receive(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.take(line.split(' '));
  }

  private take([word, name = '', first = '', second = '', third = '']: readonly string[]): void {
    if (word === 'ready') this.isFit = true;
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    switch (word) {
      case 'started':
        entry.isStarted = true;
        entry.attendant.onStarted(leaderOf(first, second), Number(third));
        break;
      case 'failed':
        this.entries.delete(name);
        entry.attendant.onEnd(failed(failure(entry.order, first, Number(second))));
        break;
      case 'ended':
        this.entries.delete(name);
        entry.attendant.onEnd(endedWith(Number(first)), Number(second));
        break;
      case 'cancelled':
        this.entries.delete(name);
        entry.attendant.onCancelled();
        break;
      default:
        break;
    }
  }

  /** No child is left that has not come to its exec: all of them had the words' other end open until then. */
  private gone(): void {
    const { begun, journal, log, onGone } = this.options;
    const entries = [...this.entries.values()];
    const records = begun.read(journal.id);
    const isBegun = ({ order, isStarted }: Entry): boolean => isStarted || (records?.has(order.name) ?? true);
    const leaders = this.lookFor(entries.filter((entry) => !entry.isStarted && isBegun(entry)));
    if (leaders === undefined) {
      // All waits until then, what is ordered meanwhile too: to call them gone would have them run beside themselves.
      setTimeout(() => this.gone(), LOOK_AGAIN_MS);
      return;
    }
    this.entries.clear();
    log.forkServerGone(entries.length);
    for (const { attendant, isStarted } of entries) if (isStarted) attendant.onOrphaned();
    for (const [{ attendant }, leader] of leaders) {
      if (leader === undefined) attendant.onEnd(lost(MAYBE_STARTED));
      else {
        attendant.onStarted(leader);
        attendant.onOrphaned();
      }
    }
    const unbegun = entries.filter((entry) => !isBegun(entry));
    // Who begins next writes over these records: what they say has to be in the journal by then.
    const isSettled = journal.settle();
    const isWanted = ({ isCancelled }: Entry): boolean => isSettled && !isCancelled;
    for (const entry of unbegun) if (!isWanted(entry)) entry.attendant.onCancelled();
    const wanted = unbegun.filter(isWanted);
    onGone(
      wanted.map(({ order, attendant }) => [order, attendant]),
      this.isFit,
    );
  }

  /** What became of orders that it had begun with when it was killed; undefined if that cannot be seen just now. */
  private lookFor(entries: readonly Entry[]): [Entry, Leader | undefined][] | undefined {
    const idOf = ({ order }: Entry): string => order.env['RQ_ATTEMPT_ID'] ?? '';
    try {
      const found = findAttempts(new Set(entries.map(idOf)));
      return entries.map((entry) => [entry, found.get(idOf(entry))]);
    } catch (error) {
      // Too many files are open, for one.
      this.options.log.failed('look for what the fork server started', error);
      return undefined;
    }
  }
}

/** What it cannot read of the start time is 0. */
function leaderOf(pid: string, startTime: string): Leader {
  return { pid: Number(pid), start_time: Number(startTime) || null };
}

function failure({ request }: StartOrder, what: string, number: number): string {
  const error = number === 0 ? 'not a file' : systemError(number);
  if (what === 'stdin' || what === 'stdout' || what === 'stderr') return fileFailure(what, request[what] ?? '', error);
  if (what === 'record') return `cannot note that it is begun: ${systemMessage(error)}`;
  return startFailure(error, request.cwd);
}

/** A wait status (waitpid(2)) as an exit status or a signal's name. */
function endedWith(status: number): Ended {
  const signal = status & 127;
  const common = { reason: null, isLost: false };
  if (signal === 0) return { exit_status: status >> 8, signal: null, ...common };
  return { exit_status: null, signal: signalName(signal), ...common };
}

/** Real-time signals are named as bash names them: SIGRTMIN, SIGRTMIN+1. */
function signalName(number: number): string {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  if (found !== undefined) return found[0];
  const above = number - FIRST_REAL_TIME_SIGNAL;
  if (above < 0) return `SIG${number}`;
  return above === 0 ? 'SIGRTMIN' : `SIGRTMIN+${above}`;
}
