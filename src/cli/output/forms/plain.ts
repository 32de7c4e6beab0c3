import { jsonText, printableLine } from '../../../job/printable.ts';

/** The approximate size of a piece in UTF-16 units, for few writes and little memory. */
const PIECE_LENGTH = 64 * 1024;

/**
 * Jobs or nodes with one line each: the fields separated by tabs, and nothing for a field without a value. Text is escaped
 * as in JSON, also a backslash, so that it contains no tab or newline and can be read back.
 */
export async function* plainPieces(
  batches: AsyncIterable<readonly object[]> | Iterable<readonly object[]>,
  fields: readonly string[],
): AsyncGenerator<string> {
  for await (const batch of batches) yield* inPieces(plainLines(batch, fields));
}

function* plainLines(batch: readonly object[], fields: readonly string[]): Generator<string> {
  for (const entry of batch) yield fields.map((field) => escaped(fieldText(entry, field))).join('\t');
}

function escaped(text: string): string {
  return printableLine(text.replaceAll('\\', '\\\\'));
}

/** The value of a field of a job or node as text, a map as JSON; empty if it has no value. */
export function fieldText(entry: object, field: string): string {
  const value = fieldValue(entry, field) ?? '';
  return typeof value === 'object' ? jsonText(value) : String(value);
}

export function fieldValue(entry: object, field: string): unknown {
  return (entry as Readonly<Record<string, unknown>>)[field];
}

/** Lines with their newlines, joined to pieces. */
export function* inPieces(lines: Iterable<string>): Generator<string> {
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
