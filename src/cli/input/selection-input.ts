import { RqError } from '../../job/errors.ts';
import type { JidRange, Selection } from '../../job/selection.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { jidsIn } from './jid-lines.ts';
import { isEmptySelection, parseSelection } from './selection.ts';
import { readAll } from './standard-input.ts';

/**
 * The selection of a command's words, where `-` reads jids from stdin; if `fallBack` is set and nothing is selected by
 * words, a pipe or file on stdin is read as well. Throws USAGE, also where stdin was read and names no job.
 */
export async function readSelection(call: CommandCall, fallBack: boolean): Promise<Selection> {
  const words = call.positionals.filter((word, index) => word !== '-' || index >= call.literalFrom);
  const selection = parseSelection(words);
  const dash = words.length < call.positionals.length;
  const { kind } = call.input;
  const piped = fallBack && isEmptySelection(selection) && (kind === 'pipe' || kind === 'file');
  if (!dash && !piped) return selection;
  if (kind === 'terminal') throw new RqError('USAGE', 'cannot read jids from a terminal: pipe them in, or name them');
  const ranges = rangesOf(await jidsIn(new TextDecoder().decode(await readAll(call.input))));
  if (ranges.length > 0) return { ...selection, ranges: [...selection.ranges, ...ranges] };
  throw new RqError('USAGE', `cannot ${call.command}: stdin names no job, neither as "jid: 42" nor as "42"`);
}

/** As `readSelection` with a fall back, for commands that change jobs: nothing selected is USAGE, never "all". */
export async function requireSelection(call: CommandCall): Promise<Selection> {
  const selection = await readSelection(call, true);
  if (!isEmptySelection(selection)) return selection;
  const message = `${call.command} what? Name jobs (42, 10-20, dead, tag=x), or all; rq help ${call.command} says more`;
  throw new RqError('USAGE', message);
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
