/** One option. The parser, the help, the completion and the man page are derived from it. */
export interface OptionSpec {
  /** The long name as it is shown; `_` and `-` are equal when it is read. */
  readonly name: string;
  readonly short?: string;
  /**
   * `flag` has no value; `optional` has a value only after `=`, else `-`; `bytes` takes a suffix k, M or G; `pair` has two
   * values, which may begin with `-`; all others require a value. `list` and `pair` may be repeated.
   */
  readonly type: 'flag' | 'text' | 'integer' | 'number' | 'bytes' | 'optional' | 'list' | 'pair';
  /** The name of the value in the man page; the completion derives from it whether the value is a path. */
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  readonly help: string;
  /** RQ_OPTS does not set it, because the command would then change jobs in a way that its line does not show. */
  readonly isOnLineOnly?: true;
}

/** One example: a command line for bash, and what it does. */
export type Example = readonly [line: string, purpose: string];

/** One command of rq, without its handler. */
export interface CommandSpec {
  readonly name: string;
  readonly short?: readonly string[];
  readonly summary: string;
  /** The positional arguments as the usage line shows them, and how many are allowed (default none). */
  readonly positionals?: string;
  readonly minPositionals?: number;
  readonly maxPositionals?: number;
  /** `none`: the command concerns no queue. */
  readonly queue?: 'none';
  readonly options: readonly OptionSpec[];
  /** The fields that the command prints, for `--fields`; undefined if it prints none. */
  readonly report?: readonly string[];
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly examples: readonly Example[];
}
