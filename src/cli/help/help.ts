import type { CommandSpec, OptionSpec } from '../parse/command-spec.ts';
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
    'rq help lists all commands, rq help COMMAND explains one.',
    '',
  ].join('\n');
}

/** The help of the command of this name, or of rq as a whole. Throws USAGE for a name that is no command's. */
export async function helpText(commands: readonly CommandSpec[], name: string | undefined): Promise<string> {
  if (name === undefined) return overview(commands);
  const command = commands.find((each) => each.name === name || each.short.includes(name));
  if (command !== undefined) return commandHelp(command);
  // Loaded for mistakes only: help must start as fast as Node does.
  const { unknownCommand } = await import('../parse/unknown-command.ts');
  throw unknownCommand(name, commands);
}

/** All commands with their short forms. */
export function overview(commands: readonly CommandSpec[]): string {
  const names = commands.map((command) => [command.name, ...command.short].join(', '));
  const width = Math.max(...names.map((name) => name.length)) + 4;
  return [
    'Usage: rq QUEUE COMMAND [WORDS] [OPTIONS]',
    '',
    ...wrap('QUEUE is a directory; leave it out where RQ_Q names it. RQ_OPTS holds options that always apply.', 0),
    '',
    'Commands:',
    ...commands.map((command, index) => `  ${(names[index] ?? '').padEnd(width)}${command.summary}`),
    '',
    'Options of all commands:',
    ...COMMON_OPTIONS.flatMap(optionLines),
    '',
    'rq help COMMAND explains a command, with examples. Exit status: 0 done, 1 failed,',
    '2 wrong usage, 3 no such queue or job, 75 the queue is busy (try again).',
    '',
  ].join('\n');
}

/** One command: how it is called, what it does, its options, examples. */
export function commandHelp(command: CommandSpec): string {
  const own = command.options.length === 0 ? [] : ['', 'Options:', ...command.options.flatMap(optionLines)];
  return [
    `rq ${command.name} - ${command.summary}`,
    '',
    `Usage: ${usage(command)}`,
    ...(command.short.length === 0 ? [] : [`Short: ${command.short.join(', ')}`]),
    ...(command.report === undefined ? [] : wrap(`Fields: ${command.report.join(', ')}`, 0)),
    ...command.description.flatMap((paragraph) => ['', ...wrap(paragraph, 0)]),
    ...own,
    '',
    'Options of all commands:',
    ...COMMON_OPTIONS.flatMap(optionLines),
    '',
    'Examples:',
    ...command.examples.flatMap(({ type, does }) => [`  ${type}`, `      ${does}`]),
    '',
  ].join('\n');
}

/** How a command is called, on one line. */
export function usage(command: CommandSpec): string {
  const words = command.positionals === '' ? '' : ` ${command.positionals}`;
  return `rq ${command.queue === 'none' ? '' : 'QUEUE '}${command.name}${words} [OPTIONS]`;
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
