import type { StateGroup } from '../states.ts';
import type { TextForm } from '../value-faults.ts';

/** One column of the table `jobs`, which is one field of a job. */
export interface Column {
  /**
   * `time` is ISO 8601 in UTC with milliseconds; `file` is a path relative to the queue; `map` is an object of text, stored
   * as JSON.
   */
  readonly kind: 'integer' | 'seconds' | 'boolean' | 'state' | 'text' | 'time' | 'file' | 'map';
  /** The states in which it may have a value. */
  readonly states: StateGroup;
  /** It has a value in each of these states. */
  readonly isRequired: boolean;
  /** A dead job that never ran has none. Only for a required column of an attempt. */
  readonly isOptionalIfDead?: true;
  /**
   * `rq` sets it when a job is submitted; `submitter` can set it by submit, resubmit and update; `control` is a command that
   * ends or pauses jobs.
   */
  readonly setBy: 'rq' | 'submitter' | 'claim' | 'end' | 'control';
  /** The first schema version that has it. */
  readonly since: number;
  /** Not a field of a printed job. */
  readonly isInternal?: boolean;
  /** SQL that follows the type: PRIMARY KEY, DEFAULT, CHECK. */
  readonly sql?: string;
  /** SQL for the value of rows that an older schema has; NULL or the default if absent. */
  readonly ofOlder?: string;
  /** The comment in the schema. */
  readonly comment?: string;
  /** The valid values of an integer that a submitter sets. */
  readonly range?: readonly [min: number, max: number];
  /** An integer that can also be given as text: seconds as a duration (`2h`), bytes as a size (`4G`). */
  readonly unit?: 'duration' | 'size';
  /** The form and the size of a text that a submitter sets. The schema checks the size of `text`, `line` and maps. */
  readonly form?: TextForm | 'backoff' | 'failures' | 'lanes' | 'needs' | 'dependencies';
  readonly maxBytes?: number;
  /** The value of a submission that does not set it; null if absent. */
  readonly initial?: number | boolean;
  /** The option of `submit` whose text sets the column. */
  readonly option?: TextOption;
}

export interface TextOption {
  readonly name: string;
  readonly short?: string;
  readonly value: string;
  readonly help: string;
}
