import { errorMessage, RqError } from '../../job/errors.ts';
import type { CommandSpec } from '../parse/command-spec.ts';
import { InvalidArguments, UnknownCommand } from '../parse/misuse.ts';
import { optionKey } from '../parse/option-values.ts';
import { COMMON_OPTIONS } from '../parse/shared-options.ts';
import { nearestHint } from '../parse/suggestions.ts';
import { yargsProgram } from './program.ts';

/** yargs allows three changed letters, which make any two short words alike. */
const MIN_LENGTH = 3;

/** The usage error for a call that was not understood; any other error as it is. */
export async function explainMisuse(commands: readonly CommandSpec[], error: unknown): Promise<unknown> {
  if (error instanceof InvalidArguments) return await invalidArguments(commands, error);
  if (!(error instanceof UnknownCommand)) return error;
  const [first = '', ...others] = error.candidates;
  for (const word of [...others, ...(error.lacksQueue ? [] : [first])]) {
    if ((await recommendation(commands, word)) !== undefined) return await unknownCommand(commands, word);
  }
  if (!error.lacksQueue) return await unknownCommand(commands, first);
  return await withoutQueue(commands, first, others[0]);
}

/** The error for a word that is not a command, with the command that yargs recommends. */
export async function unknownCommand(commands: readonly CommandSpec[], word: string): Promise<RqError> {
  const hint = await recommendation(commands, word);
  const text = `unknown command "${word}"${hint === undefined ? '' : `; ${hint}`}`;
  return new RqError('USAGE', appendHint(text, '; see: rq help'));
}

async function withoutQueue(
  commands: readonly CommandSpec[],
  first: string,
  second: string | undefined,
): Promise<RqError> {
  const hint = await recommendation(commands, first);
  const recommended = commands.find(({ name }) => hint === `did you mean ${name}?`);
  if (recommended?.queue === 'none') return await unknownCommand(commands, first);
  if (recommended !== undefined) {
    const advice = `This command needs a queue: type rq QUEUE ${recommended.name}, or set RQ_Q to the path of the queue`;
    return new RqError('USAGE', `unknown command "${first}"; ${hint} ${advice}`);
  }
  if (second !== undefined) return await unknownCommand(commands, second);
  return new RqError('USAGE', `no command specified for the queue ${first}: type rq ${first} COMMAND; see: rq help`);
}

async function recommendation(commands: readonly CommandSpec[], word: string): Promise<string | undefined> {
  if (word.length < MIN_LENGTH || word.startsWith('-')) return undefined;
  const named = commands.map((command) => ({ ...command, short: [] }));
  const message = await faultOf(named, [word]);
  return message?.startsWith('did you mean') ? message : undefined;
}

async function invalidArguments(
  commands: readonly CommandSpec[],
  { command, args, unknown, hint, message }: InvalidArguments,
): Promise<RqError> {
  const fault = await faultOf(commands, [command.name, ...args]);
  const text = unknown === undefined ? (fault ?? message) : unknownOption(commands, command, unknown);
  return new RqError('USAGE', appendHint(text, hint), unknown === undefined ? {} : { facts: { option: unknown } });
}

/** Appends `; see: …` or `: put …`; after a question, as a new sentence. */
function appendHint(text: string, hint: string): string {
  const advice = hint.slice(2);
  return text.endsWith('?') ? `${text} ${advice.charAt(0).toUpperCase()}${advice.slice(1)}` : `${text}${hint}`;
}

/** yargs recommends commands only: for an option, the nearest one, or the commands that have it. */
function unknownOption(commands: readonly CommandSpec[], command: CommandSpec, typed: string): string {
  const name = optionKey(typed.replace(/=.*$/s, ''));
  const others = commands.filter(({ options }) => options.some((each) => `--${optionKey(each.name)}` === name));
  const own = [...command.options, ...COMMON_OPTIONS].map((each) => `--${each.name}`);
  const names = name.startsWith('--') ? own : [];
  const near =
    others.length > 0
      ? ` (it is an option of ${others.map((each) => each.name).join(', ')})`
      : nearestHint(name, names);
  return `${command.name} has no option ${typed.replace(/=.*$/s, '')}${near}`;
}

/** The fault that yargs finds in the arguments; undefined if it finds none. */
async function faultOf(commands: readonly CommandSpec[], args: readonly string[]): Promise<string | undefined> {
  const program = yargsProgram(commands, args).fail((message, error) => {
    throw new Error(message ?? error?.message);
  });
  try {
    await program.parseAsync();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
