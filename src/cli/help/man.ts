import type { OptionSpec } from '../parse/command-spec.ts';
import { COMMANDS, type Command } from '../parse/command-table.ts';
import { COMMON_OPTIONS } from '../parse/shared-options.ts';
import { usageLine } from './usage-line.ts';

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['RQ_Q, RQ_QUEUE', 'The queue to use if the command line does not name one.'],
  [
    'RQ_OPTS, RQ_OPTIONS',
    'Options that apply to every command, quoted as in a shell. Options on the command line take precedence.',
  ],
  ['RQ_EDITOR', 'The program that "ioview" uses to open the files of a job.'],
  ['RQ_SQL_DEBUG', 'If not empty, rq logs each SQL statement on stderr.'],
  ['COLUMNS', 'The width of the output of --table. The default is the width of the terminal.'],
  ['NO_COLOR', 'If not empty, rq does not colour its output on a terminal.'],
  ['RQ_HOST', 'The name to use for this host instead of the host name of the system.'],
  [
    'RQ_RUNTIME_DIR',
    'The local directory for the sockets, pid files and journals of feeders (default /var/tmp/rq-UID). ' +
      'The directory must not be on NFS.',
  ],
];

const STATUSES: readonly (readonly [string, string])[] = [
  ['0', 'Success.'],
  ['1', 'Failure.'],
  ['2', 'Usage error.'],
  ['3', 'No such queue or job.'],
  ['75', 'The queue is busy, or rq could not acquire the lease within --lock-timeout. Try again.'],
];

/** The manual page rq(1), in the macros of man(7). */
export function manPage(): string {
  return [
    '.\\" Generated from the command table by scripts/make-man.mjs; do not edit.',
    '.TH RQ 1 "" "rq" "User Commands"',
    '.SH NAME',
    'rq \\- an instant cluster from any directory that Linux machines share over NFS',
    '.SH SYNOPSIS',
    `.B ${roff('rq QUEUE COMMAND')}`,
    roff('[ARGUMENTS] [OPTIONS]'),
    '.SH DESCRIPTION',
    roff(
      'QUEUE is the directory of the queue. You can omit QUEUE if the variable RQ_Q names the queue. ' +
        'Options can appear anywhere before "--".',
    ),
    '.SH COMMANDS',
    ...COMMANDS.flatMap(commandSection),
    '.SH COMMON OPTIONS',
    ...COMMON_OPTIONS.flatMap(optionSection),
    '.SH EXIT STATUS',
    ...STATUSES.flatMap(tagged),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(tagged),
    '',
  ].join('\n');
}

function commandSection(command: Command): string[] {
  const { name, short, summary, report, description, options, examples } = command;
  return [
    `.SS ${roff(`${name} - ${summary}`)}`,
    `.B ${roff(usageLine(command))}`,
    ...(short.length === 0 ? [] : ['.PP', roff(`Aliases: ${short.join(', ')}.`)]),
    ...(report === undefined ? [] : ['.PP', roff(`Output fields: ${report.join(', ')}.`)]),
    ...description.flatMap((paragraph) => ['.PP', roff(paragraph)]),
    ...options.flatMap(optionSection),
    '.PP',
    'Examples:',
    ...examples.flatMap(([line, purpose]) => ['.TP', `.B ${roff(line)}`, roff(purpose)]),
  ];
}

function optionSection(option: OptionSpec): string[] {
  const { name, short, type, value = '', choices, help } = option;
  const usage = [
    short === undefined ? '' : `-${short}, `,
    `--${name}`,
    type === 'optional' ? `[=${value}]` : ` ${value}`,
  ];
  return tagged([usage.join('').trim(), choices === undefined ? help : `${choices.join(' | ')}. ${help}`]);
}

function tagged([head, text]: readonly [string, string]): string[] {
  return ['.TP', `.B ${roff(head)}`, roff(text)];
}

/** Escapes text for troff: hyphens, quotes and control characters. */
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
