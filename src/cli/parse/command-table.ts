import { CARE_COMMANDS } from '../table/care.ts';
import { CHANGE_COMMANDS } from '../table/changes.ts';
import { COMMON_OPTIONS } from '../table/common.ts';
import { CRON_COMMAND } from '../table/cron.ts';
import { DOCTOR_COMMAND } from '../table/doctor.ts';
import { FEEDER_COMMANDS } from '../table/feeders.ts';
import { JOB_COMMANDS } from '../table/jobs.ts';
import { OWN_COMMANDS, QUEUE_COMMANDS } from '../table/queues.ts';
import { RECOVER_COMMAND } from '../table/recover.ts';
import { SQL_COMMANDS } from '../table/sql.ts';
import { STREAM_COMMANDS } from '../table/streams.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';

/** The table of commands: names, help, options, and the file of each, loaded only when it runs. */
export const COMMANDS: readonly CommandSpec[] = [
  ...QUEUE_COMMANDS,
  DOCTOR_COMMAND,
  RECOVER_COMMAND,
  ...JOB_COMMANDS,
  ...CHANGE_COMMANDS,
  ...SQL_COMMANDS,
  ...CARE_COMMANDS,
  ...FEEDER_COMMANDS,
  CRON_COMMAND,
  ...STREAM_COMMANDS,
  ...OWN_COMMANDS,
];

/** The command of this name or short form. */
export function findCommand(word: string | undefined): CommandSpec | undefined {
  return COMMANDS.find((command) => command.name === word || (word !== undefined && command.short.includes(word)));
}

/** The options that a command has, common ones last; without a command, those of all commands, each once. */
export function optionsOf(command: CommandSpec | undefined): readonly OptionSpec[] {
  if (command !== undefined) return [...command.options, ...COMMON_OPTIONS];
  const byName = new Map(COMMANDS.flatMap((each) => each.options).map((option) => [option.name, option]));
  return [...byName.values(), ...COMMON_OPTIONS];
}

/** A long option's name as it is looked up: `max_feed` and `max-feed` are one. */
export function optionKey(name: string): string {
  return name.replaceAll('_', '-');
}
