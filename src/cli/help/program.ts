import yargs, { type Argv } from 'yargs';
import type { CommandSpec, OptionSpec } from '../parse/command-spec.ts';
import { PARSER_SETTINGS } from '../parse/option-values.ts';
import { COMMON_OPTIONS } from '../parse/shared-options.ts';
import { usageLine } from './usage-line.ts';

const INTRODUCTION = [
  'Usage: rq QUEUE COMMAND [ARGUMENTS] [OPTIONS]',
  'QUEUE is the directory of the queue. You can omit QUEUE if the variable RQ_Q names the queue. ' +
    'The variable RQ_OPTS contains options that apply to every command.',
].join('\n\n');

const CONCLUSION = [
  '"rq help COMMAND" prints help and examples for a command. ' +
    'The exit status is 0 on success, 1 on failure, and 2 on a usage error. ' +
    'Status 3 means that there is no such queue or job, and status 75 that the queue is busy (try again).',
].join('\n\n');

/** The texts of yargs in the style of the other messages of rq; the keys are those of its locales/en.json. */
const STRINGS = {
  'Not enough arguments following: %s': 'the option --%s needs a value',
  'Argument unexpected for: %s': 'the option --%s takes no value',
};

/** rq as yargs sees it, to print help and to explain usage errors. */
export function yargsProgram(commands: readonly CommandSpec[], args: readonly string[]): Argv {
  const program = yargs([...args])
    .scriptName('')
    .usage(INTRODUCTION)
    .epilogue(CONCLUSION)
    .parserConfiguration(PARSER_SETTINGS)
    .updateStrings(STRINGS)
    .demandCommand(1)
    .exitProcess(false)
    .help(false)
    .version(false)
    .wrap(process.stdout.columns ?? 80);
  addOptions(program, COMMON_OPTIONS, 'Common options:');
  for (const command of commands) {
    program.command([command.name, ...(command.short ?? [])], command.summary, (builder) => build(builder, command));
  }
  return program;
}

function build(builder: Argv, command: CommandSpec): Argv {
  const { name, short = [], report, positionals, minPositionals = 0, maxPositionals = 0 } = command;
  const about = [
    `Usage: ${usageLine(command)}`,
    ...(short.length === 0 ? [] : [`Aliases: ${short.join(', ')}`]),
    ...(report === undefined ? [] : [`Output fields: ${report.join(', ')}`]),
  ].join('\n');
  const examples = command.examples.map(([line, purpose]) => `  ${line}\n      ${purpose}`);
  addOptions(builder, command.options, 'Options:');
  return builder
    .usage([`rq ${name} - ${command.summary}`, about, ...command.description].join('\n\n'))
    .epilogue(['Examples:', ...examples].join('\n'))
    .strictOptions()
    .demandCommand(
      minPositionals,
      maxPositionals,
      `${name} needs ${positionals}`,
      maxPositionals === 0 ? `${name} takes no arguments` : `${name} takes only ${positionals}`,
    );
}

function addOptions(program: Argv, options: readonly OptionSpec[], group: string): void {
  for (const option of options) {
    const { name, short, type, choices, help: description } = option;
    program.option(name, {
      ...(short === undefined ? {} : { alias: short }),
      ...(choices === undefined ? {} : { choices }),
      ...(type === 'flag' || choices !== undefined
        ? {}
        : { type: type === 'integer' || type === 'number' ? 'number' : 'string' }),
      description,
    });
    program.nargs(name, type === 'flag' ? 0 : 1);
  }
  program.group(
    options.map(({ name }) => name),
    group,
  );
}
