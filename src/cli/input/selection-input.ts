import { RqError } from '../../job/errors.ts';
import type { JidRange, Selection } from '../../job/selection.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { jidsIn } from './jid-lines.ts';
import { isEmptySelection, parseSelection } from './selection.ts';
import { readAll } from './standard-input.ts';

/** The positionals that select jobs, and whether a `-` before `--` requests jids from stdin. */
export interface Selectors {
  readonly positionals: readonly string[];
  readonly readsStdin: boolean;
}

/** Separates the `-` that stands for stdin from the other positionals. */
export function selectorsOf(call: CommandCall): Selectors {
  const positionals = call.positionals.filter((word, index) => word !== '-' || index >= call.literalFrom);
  return { positionals, readsStdin: positionals.length < call.positionals.length };
}

/** Reads a selection, with jids from stdin if requested. Throws USAGE, also if stdin contains no jid. */
export async function readSelection(
  { command, input }: CommandCall,
  { positionals, readsStdin }: Selectors,
): Promise<Selection> {
  const selection = parseSelection(positionals);
  if (!readsStdin) return selection;
  if (input.kind === 'terminal') {
    throw new RqError('USAGE', `cannot ${command}: stdin is a terminal; pipe jids to rq, or give jids as arguments`);
  }
  const ranges = rangesOf(await jidsIn(new TextDecoder().decode(await readAll(input))));
  if (ranges.length > 0) return { ...selection, ranges: [...selection.ranges, ...ranges] };
  throw new RqError('USAGE', `cannot ${command}: stdin contains no jid; give one jid per line, or the output of rq`);
}

/**
 * As `readSelection`, for commands that need a selection: an empty one is USAGE and never means all jobs. Without
 * selectors, a pipe or a file on stdin is read.
 */
export async function requireSelection(call: CommandCall, selectors = selectorsOf(call)): Promise<Selection> {
  const { positionals, readsStdin } = selectors;
  const isPiped = call.input.kind === 'pipe' || call.input.kind === 'file';
  const selection = await readSelection(call, {
    positionals,
    readsStdin: readsStdin || (positionals.length === 0 && isPiped),
  });
  if (!isEmptySelection(selection)) return selection;
  throw new RqError(
    'USAGE',
    `cannot ${call.command}: no jobs are selected; give jids (42, 10-20), a state, tag=x or all; see rq help ${call.command}`,
  );
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
