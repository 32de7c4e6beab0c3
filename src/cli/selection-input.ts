import { RqError } from '../job/errors.ts';
import type { JidRange, Selection } from '../job/selection.ts';
import type { InputStream, ModeCall } from './mode-call.ts';
import { isEmptySelection, parseJid, parseSelection } from './selection.ts';

/** `42`, `jid: 42`, `- jid: 42`, `"jid": 42,` alone on a line. */
const JID_LINE = /^\s*(?:-\s+)?(?:"?jid"?:\s*)?(\d+)\s*,?\s*$/;
/** A line that is JSON; a quote within its texts stands behind a backslash, so a command cannot look like a key. */
const JSON_LINE = /^\s*[[{,]/;
const JSON_JID = /"jid"\s*:\s*(\d+)/g;

/**
 * The selection of a mode's words, where `-` reads jids from stdin; if `fallBack` is set and nothing is selected by
 * words, a pipe or file on stdin is read as well. Throws USAGE, also where stdin was read and names no job.
 */
export async function readSelection(call: ModeCall, fallBack: boolean): Promise<Selection> {
  const words = call.words.filter((word, index) => word !== '-' || index >= call.literalFrom);
  const selection = parseSelection(words);
  const dash = words.length < call.words.length;
  const { kind } = call.input;
  const piped = fallBack && isEmptySelection(selection) && (kind === 'pipe' || kind === 'file');
  if (!dash && !piped) return selection;
  if (kind === 'terminal') throw new RqError('USAGE', 'cannot read jids from a terminal: pipe them in, or name them');
  const ranges = await readJids(call.input.chunks());
  if (ranges.length > 0) return { ...selection, ranges: [...selection.ranges, ...ranges] };
  throw new RqError('USAGE', `cannot ${call.mode}: stdin names no job, neither as "jid: 42" nor as "42"`);
}

/** As `readSelection` with a fall back, for modes that change jobs: nothing selected is USAGE, never "all". */
export async function requireSelection(call: ModeCall): Promise<Selection> {
  const selection = await readSelection(call, true);
  if (!isEmptySelection(selection)) return selection;
  const message = `${call.mode} what? Name jobs (42, 10-20, dead, tag=x), or all; rq help ${call.mode} says more`;
  throw new RqError('USAGE', message);
}

/** The jids in text that rq printed, or in lines of them, as ascending ranges. Other lines are skipped. */
export async function readJids(chunks: ReturnType<InputStream['chunks']>): Promise<JidRange[]> {
  const jids = new Set<number>();
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) addJids(line, jids);
  }
  addJids(rest, jids);
  return rangesOf(jids);
}

function addJids(line: string, jids: Set<number>): void {
  const alone = JID_LINE.exec(line)?.[1];
  if (alone !== undefined) jids.add(parseJid(alone));
  else if (JSON_LINE.test(line)) {
    for (const match of line.matchAll(JSON_JID)) jids.add(parseJid(match[1] ?? ''));
  }
}

function rangesOf(jids: ReadonlySet<number>): JidRange[] {
  const ranges: { first: number; last: number }[] = [];
  for (const jid of [...jids].sort((a, b) => a - b)) {
    const previous = ranges.at(-1);
    if (previous?.last === jid - 1) previous.last = jid;
    else ranges.push({ first: jid, last: jid });
  }
  return ranges;
}
