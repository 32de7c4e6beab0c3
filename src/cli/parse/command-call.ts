import type { Activity } from '../../job/activity.ts';
import type { CommandSpec } from './command-spec.ts';

/** What the file of a command exports. */
export interface CommandProgram {
  /** Does the command's work; throws RqError. Returns the exit status where it is not 0 and no error says so. */
  readonly run: (call: CommandCall) => Promise<number | undefined>;
}

/** Everything that a command is given. */
export interface CommandCall {
  readonly command: string;
  /** The table, for help about it. */
  readonly commands: readonly CommandSpec[];
  /** The fields of what the command reports; undefined where it reports none. */
  readonly report: readonly string[] | undefined;
  /** The queue's path as it was named; empty for commands about no queue. */
  readonly queue: string;
  /** The words after the command; from `literalFrom` on they stood after `--` and are never special. */
  readonly positionals: readonly string[];
  readonly literalFrom: number;
  readonly options: OptionValues;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether stdout is a terminal on which YAML is to be coloured. */
  readonly hasColour: boolean;
  /** stdout: data. */
  readonly output: TextOutput;
  /** stderr: diagnostics. */
  readonly diagnostics: Diagnostics;
  /** What the call is doing; long waits are reported. */
  readonly activity: Activity;
  readonly input: InputStream;
}

/** The options of a call, checked against the table. Names may be spelled with `_` or `-`. */
export interface OptionValues {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
}

/** Text or bytes out, one after another; a promise resolves when more may be written. */
export interface TextOutput {
  write(data: string | Uint8Array): Promise<void>;
}

/** Lines for people, by verbosity: 0 fatal, 1 error, 2 warn, 3 info, 4 debug. One line each, made printable. */
export interface Diagnostics {
  readonly verbosity: number;
  /** Why rq ends; said at any verbosity. */
  fatal(line: string): void;
  error(line: string): void;
  warn(line: string): void;
  info(line: string): void;
  debug(line: string): void;
}

/** Standard input: what it is, and its bytes. */
export interface InputStream {
  readonly kind: 'terminal' | 'pipe' | 'file' | 'none' | 'other';
  chunks(): AsyncIterable<Uint8Array>;
}
