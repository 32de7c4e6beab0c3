import { RqError } from '../../job/errors.ts';
import { readPrintedJson, readPrintedYaml } from '../../yaml/printed.ts';
import { isDocument } from '../../yaml/read.ts';
import { parseJid } from './selection.ts';

/** A key at the beginning of a line: of a job, or of anything below one. */
const KEY_LINE = /^\s*(?:- +)*"?[A-Za-z_]+"? *:(?:\s|$)/;
/** `- jid: 42`, `jid: 42`, `"jid": 42,`: of a job itself, never deeper, where only the text of a command can be. */
const JID_LINE = /^ {0,2}(?:- +)?"?jid"? *: *(\d+)\s*,?\s*$/;
/** A key whose text stands on the lines below it that are further in. */
const BLOCK = /^(\s*(?:- +)*)"?[A-Za-z_]+"? *: *[|>][-+0-9]*\s*$/;
/** `42`, `- 42`, `42,` alone on a line. */
const BARE_LINE = /^\s*(?:- +)?(\d+)\s*,?\s*$/;
/** What stands between jids in a list of them: nothing, the separators of grep and of YAML, a comment, a bracket. */
const EMPTY_LINE = /^\s*(?:--|---|\.\.\.|#.*|[[\]],?)?\s*$/;
/** A line that is JSON; a quote within its texts stands behind a backslash, so a command cannot look like a key. */
const JSON_LINE = /^\s*[[{,].*"/;
const JSON_JID = /"jid"\s*:\s*(\d+)/g;

/**
 * The jids in what rq printed, in YAML or JSON of any other writer, in what `grep` and the like left of them, or in
 * lines of jids. A number or a `jid:` within a command is none. Throws USAGE for a list of jids with something else in it.
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

/** As any YAML parser reads it; undefined for what is not whole. */
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

/** Of parts of a document: lines without a jid are skipped. */
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
      throw new RqError('USAGE', `line ${index + 1} of stdin, ${shown}, names no job: give jids, or what rq prints`);
    }
  }
  return jids;
}
