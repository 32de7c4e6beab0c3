import type { WaitKind } from './waits.ts';

/** Memory that the threads of a process share: two places, each for one wait. */
export type SharedBoard = SharedArrayBuffer;

/** What is waited for, of which kind, and since when in milliseconds of `steadyMs`. */
export interface ShownWait {
  readonly kind: WaitKind;
  readonly what: string;
  readonly sinceMs: number;
}

const KINDS = ['lock', 'step'] as const;
const PLACES = { step: 0, lock: 1 } as const;
const PLACE_BYTES = 1024;
/** Of a place: a number that is odd while it is written, the kind, the length of the text, the time, the text. */
const HEAD_BYTES = 24;
const TIME_AT = 16;
/** Behind the places, two numbers that are 0 or 1. */
const MARKS_AT = PLACE_BYTES * Object.keys(PLACES).length;
const MARKS = { endless: 0, changed: 1 } as const;
const encoder = new TextEncoder();

export function newBoard(): SharedBoard {
  return new SharedArrayBuffer(MARKS_AT + Object.keys(MARKS).length * Int32Array.BYTES_PER_ELEMENT);
}

/** What is true of all that waits: no lock timeout may end it (`endless`); a change is done or may be (`changed`). */
export function mark(board: SharedBoard, name: keyof typeof MARKS, isSo: boolean): void {
  Atomics.store(marksOf(board), MARKS[name], isSo ? 1 : 0);
}

export function isMarked(board: SharedBoard, name: keyof typeof MARKS): boolean {
  return Atomics.load(marksOf(board), MARKS[name]) === 1;
}

/** Writes what is waited for, undefined for nothing, so that a reader never takes half of it. Takes a microsecond. */
export function writeWait(board: SharedBoard, place: keyof typeof PLACES, wait: ShownWait | undefined): void {
  const { numbers, time, text } = viewsOf(board, place);
  if (wait === undefined && numbers[1] === 0) return;
  Atomics.add(numbers, 0, 1);
  numbers[1] = wait === undefined ? 0 : 1 + KINDS.indexOf(wait.kind);
  if (wait !== undefined) {
    time[0] = wait.sinceMs;
    // Into an array of its own: encodeInto takes no shared memory in all versions of Node.
    const bytes = encoder.encode(wait.what).subarray(0, text.length);
    text.set(bytes);
    numbers[2] = bytes.length;
  }
  Atomics.add(numbers, 0, 1);
}

/** What is waited for; undefined for nothing, and while it is just being written. */
export function readWait(board: SharedBoard, place: keyof typeof PLACES): ShownWait | undefined {
  const { numbers, time, text } = viewsOf(board, place);
  const before = Atomics.load(numbers, 0);
  const kind = KINDS[(numbers[1] ?? 0) - 1];
  const sinceMs = time[0] ?? 0;
  const what = Buffer.from(text.subarray(0, numbers[2] ?? 0)).toString('utf8');
  if (kind === undefined || before % 2 !== 0 || Atomics.load(numbers, 0) !== before) return undefined;
  return { kind, what, sinceMs };
}

function marksOf(board: SharedBoard): Int32Array {
  return new Int32Array(board, MARKS_AT, Object.keys(MARKS).length);
}

function viewsOf(
  board: SharedBoard,
  place: keyof typeof PLACES,
): { numbers: Int32Array; time: Float64Array; text: Uint8Array } {
  const start = PLACES[place] * PLACE_BYTES;
  return {
    numbers: new Int32Array(board, start, 3),
    time: new Float64Array(board, start + TIME_AT, 1),
    text: new Uint8Array(board, start + HEAD_BYTES, PLACE_BYTES - HEAD_BYTES),
  };
}
