import { printableLine } from '../../../job/printable.ts';
import { fieldText, fieldValue, inPieces } from './plain.ts';
import { cutText, textWidth } from './text-width.ts';

const GAP = '  ';
/** Without a terminal, columns are aligned up to this width, so that one long value does not lengthen every line. */
const MAX_ALIGNED = 200;
/** A column of text is not narrowed further. */
const MIN_WIDTH = 4;

type Batches = AsyncIterable<readonly object[]> | Iterable<readonly object[]>;

/**
 * Jobs or nodes as a table with a header. Columns are aligned within a batch, so that only one batch is kept in memory. If
 * `columns` is the width of the terminal, text is cut so that no line is longer.
 */
export async function* tablePieces(
  batches: Batches,
  fields: readonly string[],
  columns: number | undefined,
): AsyncGenerator<string> {
  let header = [fields];
  for await (const batch of batches) {
    yield* inPieces(tableLines(header, batch, fields, columns));
    header = [];
  }
  if (header.length > 0) yield* inPieces(tableLines(header, [], fields, columns));
}

function* tableLines(
  header: readonly (readonly string[])[],
  batch: readonly object[],
  fields: readonly string[],
  columns: number | undefined,
): Generator<string> {
  const isNumeric = fields.map((field) => batch.some((entry) => typeof fieldValue(entry, field) === 'number'));
  const texts = batch.map((entry) => fields.map((field) => printableLine(fieldText(entry, field))));
  const rows = [...header, ...texts].map((row) => row.map((text) => cutText(text, columns)));
  const widths = fields.map((_, index) => Math.max(0, ...rows.map((row) => alignedWidth(row[index] ?? '', columns))));
  if (columns !== undefined) narrow(widths, isNumeric, columns);
  for (const row of rows) {
    const cells = row.map((text, index) => {
      const width = widths[index] ?? 0;
      const shown = cutText(text, columns === undefined ? undefined : width);
      const padding = ' '.repeat(Math.max(0, width - alignedWidth(shown, columns)));
      return isNumeric[index] === true ? padding + shown : shown + padding;
    });
    yield cutText(cells.join(GAP).trimEnd(), columns);
  }
}

/** Does not measure text that is longer than any width. */
function alignedWidth(text: string, columns = MAX_ALIGNED): number {
  return text.length > 4 * columns ? columns : Math.min(columns, textWidth(text));
}

/** Narrows the widest columns of text until a line fits into the terminal. Numbers are not cut. */
function narrow(widths: number[], isNumeric: readonly boolean[], columns: number): void {
  const texts = [...widths.keys()].filter((index) => isNumeric[index] !== true);
  const total = widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  for (let excess = total - columns; excess > 0; excess -= 1) {
    const widest = texts.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), texts[0] ?? 0);
    if (isNumeric[widest] === true || (widths[widest] ?? 0) <= MIN_WIDTH) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}
