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

/** Appends a node. Its first line starts with `head` (`---`, `key:` or `-`); its members are indented. */
function writeNode(value: Printable, indent: string, head: string, lines: string[]): void {
  if (isList(value)) {
    if (value.length === 0) lines.push(`${head} []`);
    else writeList(value, indent, head, lines);
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter((entry) => entry[1] !== undefined);
    if (members.length === 0) lines.push(`${head} {}`);
    else writeMap(members, indent, head, lines);
  } else {
    lines.push(`${head} ${scalarText(value ?? null)}`);
  }
}

function writeList(items: readonly Printable[], indent: string, head: string, lines: string[]): void {
  // A list in a list starts on the line of its parent.
  if (!head.endsWith('-') || head.endsWith('---')) lines.push(head);
  for (const [index, item] of items.entries()) {
    const nested = index === 0 && head.endsWith('-') && !head.endsWith('---');
    writeNode(item, `${indent}  `, nested ? `${head} -` : `${indent}-`, lines);
  }
}

function writeMap(members: [string, Printable][], indent: string, head: string, lines: string[]): void {
  const inList = head.endsWith('-') && !head.endsWith('---');
  if (!inList) lines.push(head);
  for (const [index, [key, member]] of members.entries()) {
    const start = inList && index === 0 ? `${head} ` : indent;
    writeNode(member, `${indent}  `, `${start}${scalarText(key)}:`, lines);
  }
}

function isList(value: Printable): value is readonly Printable[] {
  return Array.isArray(value);
}
