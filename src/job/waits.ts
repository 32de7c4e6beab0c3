import { mark, type SharedBoard, writeWait } from './wait-board.ts';

/**
 * `lock`: waits its turn, looking again and again, and gives up by itself. `step`: one call into the queue's files, that
 * the kernel ends or nobody.
 */
export type WaitKind = 'lock' | 'step';

interface Wait {
  readonly kind: WaitKind;
  /** In words that follow "waiting for 10 s: ". */
  what: string;
  readonly sinceMs: number;
}

/** What this process waits for at the moment, the latest one last. */
const waits: Wait[] = [];
let board: SharedBoard | undefined;
let isChanged = false;
let onLockWait = (): void => undefined;

/** From now on the waits of this process are written on a board, where another thread can read them. */
export function showWaits(on: SharedBoard): void {
  board = on;
  mark(board, 'changed', isChanged);
  show();
}

/** As `showWaits`, for a reader in this thread: it is called at each look of a lock wait, some times a second. */
export function followLockWaits(on: SharedBoard, look: () => void): void {
  showWaits(on);
  onLockWait = look;
}

/** Does a step that may block this thread for as long as a share does not answer; says on the board what it is. */
export function step<T>(what: string, work: () => T): T {
  const wait = begin({ kind: 'step', what, sinceMs: steadyMs() });
  try {
    return work();
  } finally {
    end(wait);
  }
}

/** Does work that may have to wait for others: from when it first says so, until the work is over. */
export async function withLockWait<T>(work: (wait: LockWait) => Promise<T>): Promise<T> {
  const wait = new LockWait();
  try {
    return await work(wait);
  } finally {
    wait.end();
  }
}

/** From now on no lock timeout ends what waits here: to end it would be worse than to wait. */
export function waitForEver(): void {
  if (board !== undefined) mark(board, 'endless', true);
}

/** Says whether a change that this process makes is done, or may be: who ends it then must not say that nothing was. */
export function sayChanged(isSo: boolean): void {
  isChanged = isSo;
  if (board !== undefined) mark(board, 'changed', isSo);
}

export function hasChanged(): boolean {
  return isChanged;
}

/** A wait for others. It begins when it is first said, and lasts until it is ended. */
export class LockWait {
  private wait: Wait | undefined;

  /** Says what is waited for, as it is known by now. */
  say(what: string): void {
    this.wait ??= begin({ kind: 'lock', what, sinceMs: firstLock()?.sinceMs ?? steadyMs() });
    if (this.wait.what !== what) {
      this.wait.what = what;
      show();
    }
    onLockWait();
  }

  end(): void {
    if (this.wait === undefined) return;
    end(this.wait);
    this.wait = undefined;
    onLockWait();
  }
}

/** Milliseconds by the one clock that all threads of a process share. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

function begin(wait: Wait): Wait {
  waits.push(wait);
  show();
  return wait;
}

function end(wait: Wait): void {
  const at = waits.lastIndexOf(wait);
  if (at >= 0) waits.splice(at, 1);
  show();
}

function firstLock(): Wait | undefined {
  return waits.find(({ kind }) => kind === 'lock');
}

function show(): void {
  if (board === undefined) return;
  const last = waits.at(-1);
  const isStep = last !== undefined && last.kind !== 'lock';
  writeWait(board, 'step', isStep ? last : undefined);
  writeWait(
    board,
    'lock',
    waits.findLast(({ kind }) => kind === 'lock'),
  );
}
