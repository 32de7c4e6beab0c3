import { CARE_MODES } from '../table/care.ts';
import { CHANGE_MODES } from '../table/changes.ts';
import { COMMON_OPTIONS } from '../table/common.ts';
import { CRON_MODE } from '../table/cron.ts';
import { DOCTOR_MODE } from '../table/doctor.ts';
import { FEEDER_MODES } from '../table/feeders.ts';
import { JOB_MODES } from '../table/jobs.ts';
import { OWN_MODES, QUEUE_MODES } from '../table/queues.ts';
import { RECOVER_MODE } from '../table/recover.ts';
import { SQL_MODES } from '../table/sql.ts';
import { STREAM_MODES } from '../table/streams.ts';
import type { ModeSpec, OptionSpec } from './command-spec.ts';

/** The table of modes: names, help, options, and the file of each, loaded only when it runs. */
export const MODES: readonly ModeSpec[] = [
  ...QUEUE_MODES,
  DOCTOR_MODE,
  RECOVER_MODE,
  ...JOB_MODES,
  ...CHANGE_MODES,
  ...SQL_MODES,
  ...CARE_MODES,
  ...FEEDER_MODES,
  CRON_MODE,
  ...STREAM_MODES,
  ...OWN_MODES,
];

/** The mode of this name or short form. */
export function findMode(word: string | undefined): ModeSpec | undefined {
  return MODES.find((mode) => mode.name === word || (word !== undefined && mode.short.includes(word)));
}

/** The options that a mode has, common ones last; without a mode, those of all modes, each once. */
export function optionsOf(mode: ModeSpec | undefined): readonly OptionSpec[] {
  if (mode !== undefined) return [...mode.options, ...COMMON_OPTIONS];
  const byName = new Map(MODES.flatMap((each) => each.options).map((option) => [option.name, option]));
  return [...byName.values(), ...COMMON_OPTIONS];
}

/** A long option's name as it is looked up: `max_feed` and `max-feed` are one. */
export function optionKey(name: string): string {
  return name.replaceAll('_', '-');
}
