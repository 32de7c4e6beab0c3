import { RqError } from '../../job/errors.ts';
import { parseJid } from '../../job/terms/jids.ts';
import { readPrintedJson, readPrintedYaml } from '../../yaml/printed.ts';
import { isDocument } from '../../yaml/read.ts';

/** A key at the beginning of a line, at any depth. */
const KEY_LINE = /^\s*(?:- +)*"?[A-Za-z_]+"? *:(?:\s|$)/;
/** `jid: 42`, `- jid: 42`, `"jid": 42,`: at the depth of a job's keys; deeper lines can be text of a command line. */
const JID_LINE = /^ {0,2}(?:- +)?"?jid"? *: *(\d+)\s*,?\s*$/;
/** A key with a block scalar: its text is on the following lines, which are indented further. */
const BLOCK = /^(\s*(?:- +)*)"?[A-Za-z_]+"? *: *[|>][-+0-9]*\s*$/;
/** `42`, `- 42` or `42,` alone on a line. */
const BARE_LINE = /^\s*(?:- +)?(\d+)\s*,?\s*$/;
/** Lines to skip in a list of jids: empty lines, separators of grep and YAML, comments, brackets. */
const EMPTY_LINE = /^\s*(?:-{1,3}|\.\.\.|#.*|[[\]],?)?\s*$/;
/** A line of JSON. Quotes in its strings are escaped, so a command line cannot look like a key. */
const JSON_LINE = /^\s*[[{,].*"/;
const JSON_JID = /"jid"\s*:\s*(\d+)/g;

/**
 * Finds the jids in YAML or JSON by rq or another program, in parts of it that `grep` prints, or in lines of jids.
 * Ignores numbers and `jid:` inside a command line. Throws USAGE for a list of jids that contains other text.
 */
export async function jidsIn(text: string): Promise<Set<number>> {
  return (await jidsOfDocument(text)) ?? jidsOfLines(text.split('\n'));
}

async function jidsOfDocument(text: string): Promise<Set<number> | undefined> {
  const entries = readPrintedYaml(text) ?? readPrintedJson(text) ?? (await parsed(text));
  if (entries === undefined) return undefined;
  const values = entries.flatMap(({ fields }) => fields.filter(([key]) => key === 'jid').map(([, value]) => value));
  return new Set(values.map((value) => parseJid(String(value))));
}

/** Parses with the YAML library; undefined if the text is not a complete document. */
async function parsed(text: string): Promise<ReturnType<typeof readPrintedYaml>> {
  if (!isDocument(text)) return undefined;
  const { readAnyYaml } = await import('../../yaml/library.ts');
  try {
    return readAnyYaml(text, 'stdin');
  } catch (error) {
    if (error instanceof RqError) return undefined;
    throw error;
  }
}

function jidsOfLines(lines: readonly string[]): Set<number> {
  return lines.some((line) => KEY_LINE.test(line) || JSON_LINE.test(line)) ? keyedJids(lines) : bareJids(lines);
}

/** The jids in parts of a document. Skips lines without a jid. */
function keyedJids(lines: readonly string[]): Set<number> {
  const jids = new Set<number>();
  let block: number | undefined;
  for (const line of lines) {
    const depth = line.search(/\S/);
    if (block !== undefined && (depth === -1 || depth > block)) continue;
    block = BLOCK.exec(line)?.[1]?.length;
    const jid = JID_LINE.exec(line)?.[1];
    if (jid !== undefined) jids.add(parseJid(jid));
    else if (JSON_LINE.test(line)) for (const match of line.matchAll(JSON_JID)) jids.add(parseJid(match[1] ?? ''));
  }
  return jids;
}

function bareJids(lines: readonly string[]): Set<number> {
  const jids = new Set<number>();
  for (const [index, line] of lines.entries()) {
    const jid = BARE_LINE.exec(line)?.[1];
    if (jid !== undefined) jids.add(parseJid(jid));
    else if (!EMPTY_LINE.test(line)) {
      const shown = JSON.stringify(line.length > 60 ? `${line.slice(0, 57)}...` : line);
      throw new RqError(
        'USAGE',
        `cannot read line ${index + 1} of stdin, ${shown}: the line contains no jid; give jids or the output of rq`,
      );
    }
  }
  return jids;
}
