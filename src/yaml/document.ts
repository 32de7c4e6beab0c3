import { jsonText } from '../job/printable.ts';
import { type Scalar, scalarText } from './scalar.ts';

/** What can be printed: maps and lists of scalars, to any depth; undefined members are left out. */
export type Printable = Scalar | undefined | readonly Printable[] | { readonly [key: string]: Printable };

/**
 * One YAML document that starts with `---`, one `key: value` a line; or the same as JSON, indented by two. Keys have
 * less than 1024 characters in YAML (1.2.2, 7.4.2).
 */
export function documentText(value: Printable, format: { json?: boolean } = {}): string {
  if (format.json === true) return `${jsonText(value ?? null, 2)}\n`;
  const lines: string[] = [];
  writeNode(value, '', '---', lines);
  return `${lines.join('\n')}\n`;
}

/** Parses what a mode reports into what can be printed; dates become ISO text, anything else strange is text. */
export function printable(value: unknown): Printable {
  if (value === null || value === undefined) return value;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(printable);
  if (value instanceof Map) return printable(Object.fromEntries(value));
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, printable(member)]));
  }
  return String(value);
}

/** Appends a node whose first line starts with `head` (`---`, `key:` or `-`) and whose members are indented. */
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
  // A list in a list starts on its parent's line.
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
