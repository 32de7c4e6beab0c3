import type { CommandSpec, OptionSpec } from '../parse/command-spec.ts';
import { COMMANDS } from '../parse/command-table.ts';
import { COMMON_OPTIONS } from '../table/common.ts';
import { optionHelp, optionUsage, usage } from './help.ts';

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['RQ_Q, RQ_QUEUE', 'The queue, where none is named.'],
  ['RQ_OPTS, RQ_OPTIONS', 'Options that always apply, quoted as in a shell; the command line wins over them.'],
  ['RQ_EDITOR', 'What ioview opens the streams of a job with.'],
  ['RQ_SQL_DEBUG', 'Where it is not empty, each SQL statement is told on stderr.'],
  ['NO_COLOR', 'Where it is not empty, nothing is coloured on a terminal either.'],
  ['RQ_HOST', "The name to take for this host's."],
  ['RQ_RUNTIME_DIR', 'Where feeders keep sockets, pid files and journals; local, never on NFS (default /tmp/rq-UID).'],
];

const STATUSES: readonly (readonly [string, string])[] = [
  ['0', 'Done.'],
  ['1', 'Failed.'],
  ['2', 'Wrong usage.'],
  ['3', 'No such queue or job.'],
  ['75', 'The queue is busy, or its lease could not be had in --lock-timeout: try again.'],
];

/** The manual page rq(1) in the man macros (man(7)), made from the table of commands. */
export function manPage(): string {
  return [
    '.\\" Made from the table of commands by scripts/make-man.mjs; do not edit.',
    '.TH RQ 1 "" "rq" "User Commands"',
    '.SH NAME',
    'rq \\- an instant cluster from any directory that Linux machines share over NFS',
    '.SH SYNOPSIS',
    `.B ${roff('rq QUEUE COMMAND')}`,
    roff('[WORDS] [OPTIONS]'),
    '.SH DESCRIPTION',
    roff('The queue is a directory. Where RQ_Q names it, it is left out. Options may stand anywhere before --.'),
    '.SH COMMANDS',
    ...COMMANDS.flatMap(commandSection),
    '.SH OPTIONS OF ALL COMMANDS',
    ...COMMON_OPTIONS.flatMap(optionSection),
    '.SH EXIT STATUS',
    ...STATUSES.flatMap(tagged),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(tagged),
    '',
  ].join('\n');
}

function commandSection(command: CommandSpec): string[] {
  const short = command.short.length === 0 ? [] : ['.PP', roff(`Short: ${command.short.join(', ')}.`)];
  return [
    `.SS ${roff(`${command.name} - ${command.summary}`)}`,
    `.B ${roff(usage(command))}`,
    ...short,
    ...(command.report === undefined ? [] : ['.PP', roff(`Fields: ${command.report.join(', ')}.`)]),
    ...command.description.flatMap((paragraph) => ['.PP', roff(paragraph)]),
    ...command.options.flatMap(optionSection),
    '.PP',
    'Examples:',
    ...command.examples.flatMap(({ type, does }) => ['.TP', `.B ${roff(type)}`, roff(does)]),
  ];
}

function optionSection(option: OptionSpec): string[] {
  return tagged([optionUsage(option).trim(), optionHelp(option)]);
}

function tagged([head, text]: readonly [string, string]): string[] {
  return ['.TP', `.B ${roff(head)}`, roff(text)];
}

/** Text that troff prints as it is: no hyphenation signs, quotes, requests or escapes of its own. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replaceAll('~', '\\(ti')
    .replaceAll('^', '\\(ha')
    .replaceAll('…', '...');
  return escaped.startsWith('.') ? `\\&${escaped}` : escaped;
}
