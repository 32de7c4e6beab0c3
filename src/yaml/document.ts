import { jsonText } from '../job/printable.ts';
import { type Scalar, scalarText } from './scalar.ts';

/** A printable value: nested maps and lists of scalars. Undefined members are left out. */
export type Printable = Scalar | undefined | readonly Printable[] | { readonly [key: string]: Printable };

/**
 * A YAML document that starts with `---` and has one `key: value` on each line, or JSON that is indented by two. Keys must
 * have fewer than 1024 characters (YAML 1.2.2, 7.4.2).
 */
export function documentText(value: Printable, format: { json?: boolean } = {}): string {
  if (format.json === true) return `${jsonText(value ?? null, 2)}\n`;
  const lines: string[] = [];
  writeNode(value, '', '---', lines);
  return `${lines.join('\n')}\n`;
}

/** A list in batches as pieces of one document, as `documentText` writes the whole list. */
export async function* listPieces(
  batches: AsyncIterable<readonly Printable[]>,
  format: { json?: boolean } = {},
): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const batch of batches) {
    if (batch.length === 0) continue;
    const text = documentText(batch, format);
    if (format.json === true) yield `${isEmpty ? '[' : ','}\n${text.slice('[\n'.length, -'\n]\n'.length)}`;
    else yield isEmpty ? text : text.slice('---\n'.length);
    isEmpty = false;
  }
  if (isEmpty) yield documentText([], format);
  else if (format.json === true) yield '\n]\n';
}

/** Converts a report to a printable value. Throws TypeError for a value that YAML could not show. */
export function printable(value: unknown): Printable {
  if (value === null || value === undefined) return value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(printable);
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, printable(member)]));
  }
  throw new TypeError(`cannot print a value of the type ${typeof value}`);
}

/** Appends a node. Its first line starts with `head` (`---`, `key:` or `-`); its members have lines of their own. */
function writeNode(value: Printable, indent: string, head: string, lines: string[]): void {
  const write = (member: Printable, start: string): void => writeNode(member, `${indent}  `, indent + start, lines);
  if (isList(value)) {
    lines.push(value.length === 0 ? `${head} []` : head);
    for (const item of value) write(item, '-');
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter((entry) => entry[1] !== undefined);
    lines.push(members.length === 0 ? `${head} {}` : head);
    for (const [key, member] of members) write(member, `${scalarText(key)}:`);
  } else {
    lines.push(`${head} ${scalarText(value ?? null)}`);
  }
}

function isList(value: Printable): value is readonly Printable[] {
  return Array.isArray(value);
}
