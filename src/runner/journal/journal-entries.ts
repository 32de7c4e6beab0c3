import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import type { AttemptKey } from '../../job/job.ts';
import type { Leader } from '../leader.ts';
import { FieldReader, parseFields } from '../protocol/fields.ts';
import { type AttemptHolding, holdingFields, parseHolding } from '../protocol/holdings.ts';
import { limitFields, parseLimits } from '../protocol/limits.ts';
import { type AttemptLimits, attemptName, type Exit, exitLine, keyOf, type Limit } from '../protocol/messages.ts';
import { parseExit, parseLimit } from '../protocol/replies.ts';

/** An attempt that is not acknowledged. */
export interface JournaledAttempt extends AttemptKey {
  /** The time of the start, and before the start that of the request. */
  started: string;
  /** The same time by CLOCK_MONOTONIC, which all processes of one boot share. */
  monotonic_ms: number;
  /** Identifies the processes of the attempt (docs/starter-protocol.md). */
  readonly serial: number;
  /** The number of slots that it occupies. */
  readonly weight: number;
  /** The ids of the orders whose signals were sent. */
  orders?: number[];
  readonly limits?: AttemptLimits;
  readonly holding?: AttemptHolding;
  /** Undefined before the start. */
  process?: Leader;
  /** Undefined if it was never paused. */
  pause?: Pause;
  /** Whether the warning before its time limit is sent. */
  isWarned?: boolean;
  /** Set before the attempt is ended. */
  hit?: LimitHit;
  exit?: Exit;
}

/** Times are CLOCK_MONOTONIC. */
export interface Pause {
  /** Null if the attempt is resumed. */
  readonly sinceMs: number | null;
  /** The sum of the pauses that are over. */
  readonly earlierMs: number;
}

/** The limit that an attempt has exceeded, and when. */
export interface LimitHit {
  readonly limit: Limit;
  readonly reason: string;
  readonly monotonic_ms: number;
}

export function isPaused({ pause }: JournaledAttempt): boolean {
  return pause !== undefined && pause.sinceMs !== null;
}

export interface JournalContents {
  readonly id: string;
  readonly boot: string;
  readonly attempts: Map<string, JournaledAttempt>;
  /**
   * The number of invalid lines, not counting an incomplete last one. If there is any, a missing attempt may have been
   * started.
   */
  damagedLines: number;
}

/** Reads a journal. Undefined if the file does not exist or its first line is not that of a journal. */
export function readJournal(path: string): JournalContents | undefined {
  const [first, ...lines] = completeLines(path);
  const header = first === undefined ? undefined : parseFields(first);
  if (typeof header?.['journal'] !== 'string' || typeof header['boot'] !== 'string') return undefined;
  const contents: JournalContents = {
    id: header['journal'],
    boot: header['boot'],
    attempts: new Map(),
    damagedLines: 0,
  };
  for (const line of lines) {
    if (!readEntry(contents.attempts, line)) contents.damagedLines += 1;
  }
  return contents;
}

/** The lines of an attempt in a rewritten journal. */
export function attemptLines(attempt: JournaledAttempt): string[] {
  const { process, orders = [], pause, isWarned = false, hit, exit } = attempt;
  const lines = [spawnLine(attempt)];
  if (exit !== undefined) return [...lines, exitLine(exit)];
  if (process !== undefined) lines.push(startedLine(attempt, process));
  for (const order of orders) lines.push(orderLine(attempt, order));
  if (pause !== undefined) lines.push(pauseLine(attempt, pause));
  if (isWarned) lines.push(warnedLine(attempt));
  if (hit !== undefined) lines.push(limitLine(attempt, hit));
  return lines;
}

export function spawnLine(attempt: JournaledAttempt): string {
  const { jid, claim, started, monotonic_ms, serial, weight, limits, holding } = attempt;
  const fields = { jid, claim, started, monotonic_ms, serial, weight };
  return JSON.stringify({ type: 'spawn', ...fields, ...limitFields(limits), ...holdingFields(holding) });
}

/** A random serial number of an attempt. */
export function newSerial(): number {
  return randomInt(1, 2 ** 48 - 1);
}

export function startedLine(
  { jid, claim, started, monotonic_ms }: JournaledAttempt,
  { pid, start_time }: Leader,
): string {
  return JSON.stringify({ type: 'started', jid, claim, pid, start_time, started, monotonic_ms });
}

export function orderLine(key: AttemptKey, order: number): string {
  return JSON.stringify({ type: 'order', ...keyOf(key), order });
}

export function pauseLine({ jid, claim }: AttemptKey, { sinceMs, earlierMs }: Pause): string {
  return JSON.stringify({ type: 'pause', jid, claim, since_ms: sinceMs, earlier_ms: earlierMs });
}

export function warnedLine(key: AttemptKey): string {
  return JSON.stringify({ type: 'warned', ...keyOf(key) });
}

export function limitLine({ jid, claim }: AttemptKey, hit: LimitHit): string {
  return JSON.stringify({ type: 'limit', jid, claim, ...hit });
}

export function ackLine(key: AttemptKey): string {
  return JSON.stringify({ type: 'ack', ...keyOf(key) });
}

function completeLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  // Text after the last newline is an entry whose writer was killed.
  return text.split('\n').slice(0, -1);
}

/** Applies one line. False if the line is invalid or its attempt was not spawned. */
function readEntry(attempts: Map<string, JournaledAttempt>, line: string): boolean {
  const fields = parseFields(line);
  if (fields === undefined) return false;
  try {
    applyEntry(attempts, new FieldReader(fields, damaged));
    return true;
  } catch (error) {
    if (error instanceof DamagedEntry) return false;
    throw error;
  }
}

function applyEntry(attempts: Map<string, JournaledAttempt>, reader: FieldReader): void {
  const key = reader.key();
  const name = attemptName(key);
  const type = reader.text('type');
  if (type === 'spawn') {
    const monotonic_ms = reader.optionalNumber('monotonic_ms') ?? 0;
    // Without a serial number, the process is found by its pid or its environment.
    const serial = reader.optionalInteger('serial', 1) ?? newSerial();
    const weight = reader.optionalInteger('weight', 1) ?? 1;
    const limits = parseLimits(reader);
    const holding = parseHolding(reader);
    attempts.set(name, { ...key, started: reader.text('started'), monotonic_ms, serial, weight, limits, holding });
    return;
  }
  if (type === 'ack') {
    attempts.delete(name);
    return;
  }
  applyChange(attempts.get(name) ?? damaged('the attempt was not spawned'), type, reader);
}

function applyChange(attempt: JournaledAttempt, type: string, reader: FieldReader): void {
  switch (type) {
    case 'started':
      attempt.started = reader.optionalText('started') ?? attempt.started;
      attempt.monotonic_ms = reader.optionalNumber('monotonic_ms') ?? attempt.monotonic_ms;
      attempt.process = { pid: reader.integer('pid', 1), start_time: reader.optionalInteger('start_time', 0) };
      break;
    case 'pause':
      attempt.pause = {
        sinceMs: reader.optionalNumber('since_ms'),
        earlierMs: reader.optionalNumber('earlier_ms') ?? 0,
      };
      break;
    case 'order':
      attempt.orders = [...(attempt.orders ?? []), reader.integer('order', 1)];
      break;
    case 'warned':
      attempt.isWarned = true;
      break;
    case 'limit':
      attempt.hit = {
        limit: parseLimit(reader.text('limit')) ?? damaged('unknown limit'),
        reason: reader.text('reason'),
        monotonic_ms: reader.optionalNumber('monotonic_ms') ?? 0,
      };
      break;
    case 'exit':
      attempt.exit = parseExit(reader);
      break;
    default:
      damaged(`unknown type ${type}`);
  }
}

class DamagedEntry extends Error {}

function damaged(message: string): never {
  throw new DamagedEntry(message);
}
