import { errorMessage, RqError } from '../../job/errors.ts';
import { nearest, nearestHint } from '../../job/terms/names.ts';
import type { CommandSpec } from '../parse/command-spec.ts';
import { InvalidArguments, UnknownCommand } from '../parse/misuse.ts';
import { optionKey } from '../parse/option-values.ts';
import { COMMON_OPTIONS } from '../parse/shared-options.ts';
import { yargsProgram } from './program.ts';

/** The usage error for a call that was not understood; any other error as it is. */
export async function explainMisuse(commands: readonly CommandSpec[], error: unknown): Promise<unknown> {
  if (error instanceof InvalidArguments) return await invalidArguments(commands, error);
  if (!(error instanceof UnknownCommand)) return error;
  const [first = '', ...others] = error.candidates;
  for (const word of [...others, ...(error.lacksQueue ? [] : [first])]) {
    if (nearestCommand(commands, word) !== undefined) return unknownCommand(commands, word);
  }
  if (!error.lacksQueue) return unknownCommand(commands, first);
  return withoutQueue(commands, first, others[0]);
}

/** The error for a word that is not a command, with the command that it most likely means. */
export function unknownCommand(commands: readonly CommandSpec[], word: string): RqError {
  const hint = nearestHint(word, suggestible(commands, word));
  return new RqError('USAGE', appendHint(`unknown command "${word}"${hint}`, '; see: rq help'));
}

function withoutQueue(commands: readonly CommandSpec[], first: string, second: string | undefined): RqError {
  const command = nearestCommand(commands, first);
  if (command?.queue === 'none') return unknownCommand(commands, first);
  if (command !== undefined) {
    const advice = `This command needs a queue: type rq QUEUE ${command.name}, or set RQ_Q to the path of the queue`;
    return new RqError('USAGE', `unknown command "${first}"; did you mean ${command.name}? ${advice}`);
  }
  if (second !== undefined) return unknownCommand(commands, second);
  return new RqError('USAGE', `no command specified for the queue ${first}: type rq ${first} COMMAND; see: rq help`);
}

function nearestCommand(commands: readonly CommandSpec[], word: string): CommandSpec | undefined {
  const name = nearest(word, suggestible(commands, word));
  return commands.find((command) => command.name === name);
}

/** A mistyped word never leads to one of these: a user may follow the suggestion without a thought. */
const HARMFUL = new Set(['kill', 'delete', 'stop', 'shutdown', 'signal']);

function suggestible(commands: readonly CommandSpec[], word: string): string[] {
  return commands.map(({ name }) => name).filter((name) => name === word || !HARMFUL.has(name));
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

/** With the commands that have the option, or else the nearest option. */
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
