import type { CommandProgram } from './command-call.ts';

/** One option as the table of commands holds it; help, man page and parser are made from this. */
export interface OptionSpec {
  /** The long name as it is shown; `_` and `-` are the same when it is read. */
  readonly name: string;
  readonly short?: string;
  /**
   * `flag` has no value; `optional` has one only after `=`, else `-`; `bytes` takes a suffix k, M or G; all others
   * need a value.
   */
  readonly type: 'flag' | 'text' | 'integer' | 'number' | 'bytes' | 'optional';
  /** What the value is called in the help. */
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  readonly help: string;
}

/** One example of the help: what to type, and what that does. */
export interface Example {
  readonly type: string;
  readonly does: string;
}

/** One command of rq. */
export interface CommandSpec {
  readonly name: string;
  readonly short: readonly string[];
  readonly summary: string;
  /** The words after the command as they are shown, and how many there may be. */
  readonly positionals: string;
  readonly maxPositionals: number;
  readonly minPositionals?: number;
  /** `none`: the command is about no queue, and none is named. */
  readonly queue: 'named' | 'none';
  readonly options: readonly OptionSpec[];
  /** What it reports, in this order, and `--fields` chooses from. Other commands print jobs, or what has no fields. */
  readonly report?: readonly string[];
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly examples: readonly Example[];
  readonly load: () => Promise<CommandProgram>;
}
