import { JOB_FIELDS, JOB_STATES } from '../job/job.ts';
import type { ModeSpec, OptionSpec } from './mode-spec.ts';
import { COMMON_OPTIONS } from './table/common.ts';

/** What candidates are taken from. */
export interface CompletionSources {
  readonly modes: readonly ModeSpec[];
  /** The queue that the environment names, or nothing. */
  readonly standing: string;
  readonly shells: readonly string[];
  /** Tags and jids of a queue that begin with a text. */
  tags(queue: string, prefix: string): Promise<string[]>;
  jids(queue: string, prefix: string): Promise<string[]>;
}

interface Position {
  /** Undefined where the line does not say it yet. */
  readonly mode: ModeSpec | undefined;
  readonly queue: string;
  /** Words that are neither options nor their values. */
  readonly plain: readonly string[];
  /** The option whose value is being typed. */
  readonly option: OptionSpec | undefined;
}

/** The candidates for the last of the words behind `rq`. */
export async function complete(words: readonly string[], sources: CompletionSources): Promise<string[]> {
  const current = words.at(-1) ?? '';
  const { mode, option, plain, queue } = positionOf(words.slice(0, -1), sources);
  const found =
    option !== undefined
      ? await optionValues(option, queue, current, sources)
      : current.startsWith('-')
        ? optionWords(mode, current, sources)
        : mode === undefined
          ? firstWords(plain, sources)
          : await modeWords(mode, queue, current, sources);
  return found.filter((word) => word.startsWith(current));
}

function positionOf(words: readonly string[], { modes, standing }: CompletionSources): Position {
  const findMode = (word: string | undefined): ModeSpec | undefined =>
    modes.find(({ name, short }) => name === word || (word !== undefined && short.includes(word)));
  const plain: string[] = [];
  let option: OptionSpec | undefined;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-') && word.length > 1) option = optionOf(word, modes);
    else plain.push(word);
  }
  const [first = '', second] = plain;
  const own = findMode(first);
  const isOwn = own !== undefined && (own.queue === 'none' || standing !== '') && findMode(second) === undefined;
  return isOwn
    ? { mode: own, queue: standing, plain, option }
    : { mode: findMode(second), queue: first, plain, option };
}

/** The option that a word names, if its value is the next word. */
function optionOf(word: string, modes: readonly ModeSpec[]): OptionSpec | undefined {
  if (word.includes('=')) return undefined;
  const name = word.replace(/^--?/, '');
  const isNamed = (option: OptionSpec): boolean =>
    word.startsWith('--') ? option.name === name.replaceAll('-', '_') || option.name === name : option.short === name;
  const option = [...modes.flatMap(({ options }) => options), ...COMMON_OPTIONS].find(isNamed);
  return option?.type === 'flag' || option?.type === 'optional' ? undefined : option;
}

async function optionValues(
  option: OptionSpec,
  queue: string,
  current: string,
  sources: CompletionSources,
): Promise<string[]> {
  if (option.choices !== undefined) return [...option.choices];
  if (option.name === 'tag') return await sources.tags(queue, current);
  if (option.name !== 'fields') return [];
  const before = current.slice(0, current.lastIndexOf(',') + 1);
  return JOB_FIELDS.map((field) => before + field);
}

function optionWords(mode: ModeSpec | undefined, current: string, { modes }: CompletionSources): string[] {
  const own = mode === undefined ? modes.flatMap(({ options }) => options) : mode.options;
  const options = [...new Map([...own, ...COMMON_OPTIONS].map((option) => [option.name, option])).values()];
  const long = options.map(({ name }) => `--${name}`);
  return current.startsWith('--') ? long : [...long, ...options.flatMap(({ short }) => (short ? [`-${short}`] : []))];
}

function firstWords(plain: readonly string[], { modes, standing }: CompletionSources): string[] {
  const isFirst = plain.length === 0;
  if (plain.length > 1) return [];
  return modes
    .filter(({ queue }) => (isFirst ? queue === 'none' || standing !== '' : queue === 'named'))
    .map(({ name }) => name);
}

async function modeWords(
  mode: ModeSpec,
  queue: string,
  current: string,
  sources: CompletionSources,
): Promise<string[]> {
  if (mode.name === 'help') return sources.modes.map(({ name }) => name);
  if (mode.name === 'completion') return [...sources.shells];
  if (mode.words.startsWith('JID')) return await sources.jids(queue, current);
  if (!mode.words.includes('SELECTION')) return [];
  if (current.startsWith('tag=')) return (await sources.tags(queue, current.slice(4))).map((tag) => `tag=${tag}`);
  const jids = current === '' || /^\d+$/.test(current) ? await sources.jids(queue, current) : [];
  return [...JOB_STATES, 'all', 'tag=', ...jids];
}
