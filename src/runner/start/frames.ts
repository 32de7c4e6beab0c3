/** The limit of docs/starter-protocol.md. It does not include the length of the frame. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

const LENGTH_BYTES = 4;
const BUFFER_BYTES = 64 * 1024;
const NOT_ASCII = /[^\0-\x7f]/;
/** The encoded lengths of short fields, as Latin-1. */
const SHORT_LENGTHS = Array.from({ length: 1024 }, (_, length) => lengthText(length));
/** A UTF-16 unit has at most 3 bytes in UTF-8. */
const MAX_UNIT_BYTES = 3;

/** Encodes frames into one buffer, so that the frames of one turn of the event loop are sent with one write. */
export class FrameWriter {
  private bytes = Buffer.allocUnsafe(BUFFER_BYTES);
  private used = 0;

  get isEmpty(): boolean {
    return this.used === 0;
  }

  /** Appends a frame. False if it exceeds the limit; nothing is appended then. */
  add(fields: readonly string[]): boolean {
    const start = this.used;
    this.reserve(LENGTH_BYTES);
    this.used += LENGTH_BYTES;
    // One write of a long text is much faster than many short ones.
    if (NOT_ASCII.test(fields.join(''))) for (const field of fields) this.addField(field);
    else this.addAscii(fields);
    const length = this.used - start - LENGTH_BYTES;
    if (length > MAX_FRAME_BYTES) {
      this.used = start;
      return false;
    }
    this.bytes.writeUInt32BE(length, start);
    return true;
  }

  /** Returns all frames since the last call. */
  take(): Buffer {
    const frames = this.bytes.subarray(0, this.used);
    this.used = 0;
    if (frames.length <= BUFFER_BYTES / 2 && this.bytes.length === BUFFER_BYTES) return Buffer.from(frames);
    this.bytes = Buffer.allocUnsafe(BUFFER_BYTES);
    return frames;
  }

  private addAscii(fields: readonly string[]): void {
    let text = '';
    for (const field of fields) text += (SHORT_LENGTHS[field.length] ?? lengthText(field.length)) + field;
    this.reserve(text.length);
    this.used += this.bytes.write(text, this.used, 'latin1');
  }

  private addField(field: string): void {
    this.reserve(LENGTH_BYTES + field.length * MAX_UNIT_BYTES);
    const length = this.bytes.write(field, this.used + LENGTH_BYTES);
    this.bytes.writeUInt32BE(length, this.used);
    this.used += LENGTH_BYTES + length;
  }

  private reserve(bytes: number): void {
    const needed = this.used + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.used);
    this.bytes = larger;
  }
}

/** A length as four bytes, big endian, in a text of Latin-1. */
function lengthText(length: number): string {
  return String.fromCharCode(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255);
}

/** A peer sent bytes that are not a frame. */
export class InvalidFrame extends Error {
  override readonly name = 'InvalidFrame';
}

/** Decodes frames from chunks of any size. Fields are decoded as Latin-1: all messages of the starter are ASCII. */
export class FrameReader {
  private incomplete: Buffer | undefined;

  constructor(private readonly onFrame: (fields: string[]) => void) {}

  /** Handles all complete frames. Throws InvalidFrame. */
  read(chunk: Buffer): void {
    const bytes = this.incomplete === undefined ? chunk : Buffer.concat([this.incomplete, chunk]);
    const text = bytes.toString('latin1');
    let start = 0;
    while (bytes.length - start >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(start);
      if (length > MAX_FRAME_BYTES) throw new InvalidFrame(`a frame has ${length} bytes`);
      const end = start + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      const fields = decodeFields(bytes, text, start + LENGTH_BYTES, end);
      start = end;
      this.onFrame(fields);
    }
    this.incomplete = start === bytes.length ? undefined : bytes.subarray(start);
  }
}

/** `text` is `bytes` as Latin-1, with one character for each byte. */
function decodeFields(bytes: Buffer, text: string, first: number, end: number): string[] {
  const fields: string[] = [];
  let start = first;
  while (start < end) {
    const valueStart = start + LENGTH_BYTES;
    if (valueStart > end) throw new InvalidFrame('the length of a field is incomplete');
    const valueEnd = valueStart + bytes.readUInt32BE(start);
    if (valueEnd > end) throw new InvalidFrame('a field extends beyond its frame');
    fields.push(text.slice(valueStart, valueEnd));
    start = valueEnd;
  }
  return fields;
}
