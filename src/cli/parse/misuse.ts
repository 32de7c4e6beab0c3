import type { CommandSpec } from './command-spec.ts';

/** The arguments name no command. `explainMisuse` makes the usage error. */
export class UnknownCommand extends Error {
  /** The arguments that may be a mistyped command, most likely first. */
  readonly candidates: readonly string[];
  /** Whether the first candidate stands where the queue should be named. */
  readonly lacksQueue: boolean;

  constructor(candidates: readonly string[], lacksQueue: boolean) {
    super(`unknown command "${candidates[0]}"`);
    this.candidates = candidates;
    this.lacksQueue = lacksQueue;
  }
}

/** The options or the number of arguments do not fit the command. `explainMisuse` makes the usage error. */
export class InvalidArguments extends Error {
  readonly command: CommandSpec;
  /** The arguments, for yargs to find out what is wrong. */
  readonly args: readonly string[];
  /** The first option that the command does not have, as it was typed. */
  readonly unknown: string | undefined;
  /** Advice to append to the message. */
  hint = '';

  constructor(command: CommandSpec, args: readonly string[], unknown: string | undefined) {
    super(`invalid arguments of ${command.name}`);
    this.command = command;
    this.args = args;
    this.unknown = unknown;
  }
}
