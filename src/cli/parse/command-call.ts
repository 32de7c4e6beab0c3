import type { Activity } from '../../job/activity.ts';
import type { CommandSpec } from './command-spec.ts';

/** The exports of a command's file in addition to its specification. */
export interface CommandProgram {
  /** Runs the command; throws RqError. Returns the exit status if it is not 0 and there is no error. */
  readonly run: (call: CommandCall) => Promise<number | undefined>;
}

/** The process that a call runs in. */
export interface CallContext {
  readonly environment: NodeJS.ProcessEnv;
  readonly output: TextOutput;
  readonly input: InputStream;
}

/** One call of a command. */
export interface CommandCall {
  readonly command: string;
  /** All commands, for the help. */
  readonly commands: readonly CommandSpec[];
  /** The fields that the command reports; undefined if it reports none. */
  readonly report: readonly string[] | undefined;
  /** The path of the queue as it was given; empty for commands that concern no queue. */
  readonly queue: string;
  /** The positional arguments; from `literalFrom` on they stood after `--` and are never special. */
  readonly positionals: readonly string[];
  readonly literalFrom: number;
  readonly options: OptionValues;
  readonly environment: NodeJS.ProcessEnv;
  /** stdout: data. */
  readonly output: TextOutput;
  /** stderr: messages. */
  readonly diagnostics: Diagnostics;
  /** Records the operations and waits of the call; long waits are reported. */
  readonly activity: Activity;
  readonly input: InputStream;
}

/** The checked options of a call. Names may be expanded with `_` or `-`. */
export interface OptionValues {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  /** The values of an option that may be repeated; none if it was not given. A pair gives two values each time. */
  list(name: string): readonly string[];
}

/** A stream of text or bytes; the promise resolves when more may be written. */
export interface TextOutput {
  write(data: string | Uint8Array): Promise<void>;
}

/** Messages for people, by verbosity: 0 fatal, 1 error, 2 warn, 3 info, 4 debug. Each becomes one printable line. */
export interface Diagnostics {
  readonly verbosity: number;
  /** The reason why rq ends; written at any verbosity. */
  fatal(line: string): void;
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** Standard input: its kind and its bytes. */
export interface InputStream {
  readonly kind: 'terminal' | 'pipe' | 'file' | 'none' | 'other';
  chunks(): AsyncIterable<Uint8Array>;
}
