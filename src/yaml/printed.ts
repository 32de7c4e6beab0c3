import type { Variables } from '../job/columns/variables.ts';
import { jsonText, parseJson } from '../job/printable.ts';
import { isPlain, mapText } from './scalar.ts';

/** The keys and values of a printed job in their order, and its first line. */
export interface RawEntry {
  readonly line: number;
  readonly fields: readonly (readonly [string, unknown])[];
}

const YAML_LINE = /^(?:- | {2})([a-z_]+): (.+)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads the exact form in which rq prints jobs as YAML, about a hundred times faster than a full parser. The first field
 * may also stand on the line of the dash, as other programs print it. Returns undefined for any other text, which a full
 * parser must read.
 */
export function readPrintedYaml(text: string): RawEntry[] | undefined {
  if (!/^---\n-[ \n]/.test(text) || !text.endsWith('\n')) return undefined;
  const entries: RawEntry[] = [];
  let fields: [string, unknown][] = [];
  let keys = new Set<string>();
  let start = 4;
  for (let line = 2; start < text.length; line += 1) {
    const end = text.indexOf('\n', start);
    const content = text.slice(start, end);
    start = end + 1;
    if (content.startsWith('-')) {
      if (entries.length > 0 && fields.length === 0) return undefined;
      fields = [];
      keys = new Set();
      entries.push({ line, fields });
      if (content === '-') continue;
    }
    const match = YAML_LINE.exec(content);
    const key = match?.[1];
    const value = match?.[2] === undefined ? undefined : readValue(match[2]);
    if (key === undefined || value === undefined || keys.has(key)) return undefined;
    keys.add(key);
    fields.push([key, value]);
  }
  return fields.length === 0 ? undefined : entries;
}

/** Like `readPrintedYaml`, for JSON as rq prints it: an array with one job on each line. */
export function readPrintedJson(text: string): RawEntry[] | undefined {
  if (!text.startsWith('[\n{') || !text.endsWith('}\n]\n')) return undefined;
  const entries: RawEntry[] = [];
  for (const [index, line] of text.slice(2, -3).split('\n').entries()) {
    const json = line.endsWith(',') ? line.slice(0, -1) : line;
    const value = parseJson(json);
    // Text that prints differently had a duplicate key, or a number that JavaScript cannot represent.
    if (typeof value !== 'object' || value === null || jsonText(value) !== json) return undefined;
    entries.push({ line: index + 2, fields: Object.entries(value) });
  }
  return entries;
}

function readValue(text: string): unknown {
  if (!text.startsWith('{')) return readScalar(text);
  const value = parseJson(text);
  // Text that prints differently had a duplicate key, or a value other than text.
  return isObject(value) && mapText(value as Variables) === text ? value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readScalar(text: string): string | number | boolean | null | undefined {
  if (text.startsWith('"')) {
    const value = parseJson(text);
    return typeof value === 'string' ? value : undefined;
  }
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  if (NUMBER.test(text)) return Number(text);
  return isPlain(text) ? text : undefined;
}
