import { type Colour, inColour } from './colour.ts';

const STATES: Readonly<Record<string, Colour>> = {
  pending: 'yellow',
  holding: 'magenta',
  running: 'brightBlue',
  finished: 'green',
  dead: 'red',
};

const LINE = /^( *)("(?:[^"\\]+|\\.)*"|[^\s":-][^":\n]*):(?: (.*))?$/gm;
/** An entry of a failed job. It is tested against the whole entry, because its state can precede its exit status. */
const FAILED = /^ {2}(?:exit_status: (?!0$|null$)|signal: (?!null$))/m;

/** Colours keys, states and failures in YAML that rq printed. Such text contains no control characters. */
export function colouredYaml(yaml: string): string {
  return yaml
    .split(/^(?=-$)/m)
    .map((entry) => colouredEntry(entry, FAILED.test(entry)))
    .join('');
}

/** As `colouredYaml`, for a list in pieces. They can end anywhere, unless each has `wholeEntries`. */
export async function* colouredPieces(pieces: AsyncIterable<string>, wholeEntries = false): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    if (wholeEntries) {
      yield colouredYaml(piece);
      continue;
    }
    rest += piece;
    const end = rest.lastIndexOf('\n-\n') + 1;
    if (end > 0) yield colouredYaml(rest.slice(0, end));
    rest = rest.slice(end);
  }
  yield colouredYaml(rest);
}

function colouredEntry(entry: string, hasFailed: boolean): string {
  return entry.replaceAll(LINE, (_, indent: string, key: string, value?: string) => {
    const start = `${indent}${inColour(key, 'cyan')}:`;
    if (value === undefined) return start;
    const colour = valueColour(key, value, hasFailed);
    return `${start} ${colour === undefined ? value : inColour(value, colour)}`;
  });
}

function valueColour(key: string, value: string, hasFailed: boolean): Colour | undefined {
  if (value === 'null') return undefined;
  switch (key) {
    case 'state':
      return hasFailed ? 'red' : STATES[value];
    case 'exit_status':
      return value === '0' ? undefined : 'red';
    case 'signal':
    case 'reason':
      return 'red';
    default:
      return undefined;
  }
}
