import type { ModeSpec, OptionSpec } from '../parse/command-spec.ts';
import { COMMON_OPTIONS } from '../table/common.ts';

const WIDTH = 80;
const OPTION_INDENT = 26;

/** What `rq` alone says. */
export function greeting(): string {
  return [
    'rq - an instant cluster from any directory that Linux machines share',
    '',
    '  rq ./q create                      make a queue in a shared directory',
    '  rq ./q feed --daemon               on each machine: run its jobs',
    "  rq ./q submit 'command line'       put a job in, from any of them",
    '  rq ./q list                        see how the jobs do',
    '  rq ./q stdout 1                    print what job 1 wrote',
    '',
    'rq help lists all modes, rq help MODE explains one.',
    '',
  ].join('\n');
}

/** The help of the mode of this name, or of rq as a whole. Throws USAGE for a name that is no mode's. */
export async function helpText(modes: readonly ModeSpec[], name: string | undefined): Promise<string> {
  if (name === undefined) return overview(modes);
  const mode = modes.find((each) => each.name === name || each.short.includes(name));
  if (mode !== undefined) return modeHelp(mode);
  // Loaded for mistakes only: help must start as fast as Node does.
  const { unknownMode } = await import('../parse/unknown-command.ts');
  throw unknownMode(name, modes);
}

/** All modes with their short forms. */
export function overview(modes: readonly ModeSpec[]): string {
  const names = modes.map((mode) => [mode.name, ...mode.short].join(', '));
  const width = Math.max(...names.map((name) => name.length)) + 4;
  return [
    'Usage: rq QUEUE MODE [WORDS] [OPTIONS]',
    '',
    ...wrap('QUEUE is a directory; leave it out where RQ_Q names it. RQ_OPTS holds options that always apply.', 0),
    '',
    'Modes:',
    ...modes.map((mode, index) => `  ${(names[index] ?? '').padEnd(width)}${mode.summary}`),
    '',
    'Options of all modes:',
    ...COMMON_OPTIONS.flatMap(optionLines),
    '',
    'rq help MODE explains a mode, with examples. Exit status: 0 done, 1 failed,',
    '2 wrong usage, 3 no such queue or job, 75 the queue is busy (try again).',
    '',
  ].join('\n');
}

/** One mode: how it is called, what it does, its options, examples. */
export function modeHelp(mode: ModeSpec): string {
  const own = mode.options.length === 0 ? [] : ['', 'Options:', ...mode.options.flatMap(optionLines)];
  return [
    `rq ${mode.name} - ${mode.summary}`,
    '',
    `Usage: ${usage(mode)}`,
    ...(mode.short.length === 0 ? [] : [`Short: ${mode.short.join(', ')}`]),
    ...(mode.report === undefined ? [] : wrap(`Fields: ${mode.report.join(', ')}`, 0)),
    ...mode.description.flatMap((paragraph) => ['', ...wrap(paragraph, 0)]),
    ...own,
    '',
    'Options of all modes:',
    ...COMMON_OPTIONS.flatMap(optionLines),
    '',
    'Examples:',
    ...mode.examples.flatMap(({ type, does }) => [`  ${type}`, `      ${does}`]),
    '',
  ].join('\n');
}

/** How a mode is called, on one line. */
export function usage(mode: ModeSpec): string {
  const words = mode.words === '' ? '' : ` ${mode.words}`;
  return `rq ${mode.queue === 'none' ? '' : 'QUEUE '}${mode.name}${words} [OPTIONS]`;
}

/** An option as it is typed: `-p, --priority N`. */
export function optionUsage(option: OptionSpec): string {
  const short = option.short === undefined ? '    ' : `-${option.short}, `;
  if (option.type === 'flag') return `${short}--${option.name}`;
  return `${short}--${option.name}${option.type === 'optional' ? `[=${option.value}]` : ` ${option.value}`}`;
}

/** The help of an option, with its choices. */
export function optionHelp(option: OptionSpec): string {
  return option.choices === undefined ? option.help : `${option.choices.join(' | ')}. ${option.help}`;
}

function optionLines(option: OptionSpec): string[] {
  const head = `  ${optionUsage(option)}`;
  const lines = wrap(optionHelp(option), OPTION_INDENT);
  const fits = head.length < OPTION_INDENT - 1;
  return fits ? [head.padEnd(OPTION_INDENT) + (lines[0] ?? '').trimStart(), ...lines.slice(1)] : [head, ...lines];
}

function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(' '.repeat(indent) + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, ' '.repeat(indent) + line];
}
