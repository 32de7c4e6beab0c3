import type { Column } from '../columns/column.ts';
import { type ColumnName, columnOf } from '../columns.ts';
import { parseDuration } from '../quantities/duration.ts';
import { parseSize } from '../quantities/size.ts';

/** The value that a text means for a field; undefined for text that does not fit it. The text `null` is not special. */
export function valueFromText(field: ColumnName, text: string): string | number | boolean | undefined {
  const { kind, unit } = columnOf[field];
  if (unit !== undefined) return quantityFromText(text, unit);
  switch (kind) {
    case 'integer':
      return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
    case 'seconds':
      return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : undefined;
    case 'state':
    case 'text':
    case 'time':
    case 'file':
      return text;
    case 'map':
      return undefined;
  }
}

/** A number of seconds or bytes; undefined for text that is not one. */
export function quantityFromText(text: string, unit: NonNullable<Column['unit']>): number | undefined {
  return unit === 'duration' ? parseDuration(text) : parseSize(text);
}
