import { isUtf8 } from 'node:buffer';

/** What a column of rq's holds. */
export type RecordValue = string | number | null;

/** The values of one record; it is not sound if one of them is none that rq ever stored. */
export interface DecodedRecord {
  readonly values: readonly RecordValue[];
  readonly isSound: boolean;
}

interface Varint {
  readonly value: number;
  readonly next: number;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8] as const;

/**
 * A variable-length integer of SQLite's (https://sqlite.org/fileformat2.html, 1.6) of at most 53 bits. Undefined where
 * there is none, where it is negative, and where it is longer than it needs to be, as SQLite never writes it.
 */
export function readVarint(bytes: Buffer, start: number): Varint | undefined {
  let value = 0;
  for (let at = start; at < start + 8; at++) {
    const byte = bytes[at];
    if (byte === undefined || (at === start && byte === 0x80)) return undefined;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next: at + 1 } : undefined;
  }
  return undefined;
}

/** How long a record is by its header (fileformat2, 2.1), of which only that needs to be there. */
export function recordBytes(start: Buffer): number | undefined {
  const header = readVarint(start, 0);
  if (header === undefined || header.value > start.length) return undefined;
  let [at, bytes] = [header.next, header.value];
  while (at < header.value) {
    const type = readVarint(start, at);
    if (type === undefined) return undefined;
    bytes += sizeOf(type.value);
    at = type.next;
  }
  return at === header.value ? bytes : undefined;
}

/** Decodes a record; undefined unless its header and its values fill the payload to the byte. */
export function decodeRecord(payload: Buffer): DecodedRecord | undefined {
  const header = readVarint(payload, 0);
  if (header === undefined || recordBytes(payload) !== payload.length) return undefined;
  const values: RecordValue[] = [];
  let isSound = true;
  let [typeAt, valueAt] = [header.next, header.value];
  while (typeAt < header.value) {
    const type = readVarint(payload, typeAt);
    if (type === undefined) return undefined;
    const size = sizeOf(type.value);
    const value = decodeValue(payload, type.value, valueAt, size);
    if (value === undefined) isSound = false;
    values.push(value ?? null);
    typeAt = type.next;
    valueAt += size;
  }
  return { values, isSound };
}

function sizeOf(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return INTEGER_BYTES[type] ?? (type === 7 ? 8 : 0);
}

/** Undefined for what rq never stores: blobs, text that is not UTF-8 or has a NUL, integers that could be shorter. */
function decodeValue(bytes: Buffer, type: number, at: number, size: number): RecordValue | undefined {
  if (type === 0) return null;
  if (type >= 13 && type % 2 === 1) {
    const text = bytes.subarray(at, at + size);
    return isUtf8(text) && !text.includes(0) ? text.toString('utf8') : undefined;
  }
  if (type === 8 || type === 9) return type - 8;
  if (type === 7) return finite(bytes.readDoubleBE(at));
  if (type > 6) return undefined;
  const value = size === 8 ? Number(bytes.readBigInt64BE(at)) : bytes.readIntBE(at, size);
  return isShortest(value, size) ? value : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function isShortest(value: number, size: number): boolean {
  if (value === 0 || value === 1 || !Number.isSafeInteger(value)) return false;
  const shorter = INTEGER_BYTES[INTEGER_BYTES.indexOf(size as 1) - 1] ?? 0;
  const limit = 2 ** (shorter * 8 - 1);
  return shorter === 0 || value < -limit || value >= limit;
}
