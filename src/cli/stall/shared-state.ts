import type { ActivityState } from '../../job/activity.ts';

/** A 32-bit version that is odd during a write, the length of the text, and the state as JSON. */
const HEADER_BYTES = 8;
/** Two texts of the longest length, with each character escaped in JSON as six bytes. */
const SIZE = 16 * 1024;
const LONGEST_TEXT = 1_000;

/** Memory that the threads of a process share. */
export type SharedState = SharedArrayBuffer;

export function newSharedState(): SharedState {
  return new SharedArrayBuffer(SIZE);
}

/** Writes the state, in about two microseconds. Only the main thread writes. */
export function writeState(shared: SharedState, { operation, wait, ...marks }: ActivityState): void {
  const state: ActivityState = {
    operation: operation?.slice(0, LONGEST_TEXT),
    wait: wait && { ...wait, reason: wait.reason.slice(0, LONGEST_TEXT) },
    ...marks,
  };
  const header = new Int32Array(shared, 0, 2);
  // TextEncoder.encodeInto does not accept shared memory in every version of Node.
  const bytes = Buffer.from(JSON.stringify(state));
  Atomics.add(header, 0, 1);
  new Uint8Array(shared, HEADER_BYTES).set(bytes);
  header[1] = bytes.length;
  Atomics.add(header, 0, 1);
}

/** Reads the state; undefined before the first write, and during a write. */
export function readState(shared: SharedState): ActivityState | undefined {
  const header = new Int32Array(shared, 0, 2);
  const version = Atomics.load(header, 0);
  if (version === 0 || version % 2 !== 0) return undefined;
  const text = Buffer.from(new Uint8Array(shared, HEADER_BYTES, header[1] ?? 0)).toString();
  // The text is whole only if no write began in the meantime.
  return Atomics.load(header, 0) === version ? (JSON.parse(text) as ActivityState) : undefined;
}
