import { JOB_FIELDS } from '../../job/job.ts';
import { spec as completion } from '../commands/about/completion.ts';
import { spec as help } from '../commands/about/help.ts';
import { spec as version } from '../commands/about/version.ts';
import { specs as holds } from '../commands/control/hold.ts';
import { spec as kill } from '../commands/control/kill.ts';
import { specs as pauses } from '../commands/control/pause.ts';
import { spec as signal } from '../commands/control/signal.ts';
import { spec as cron } from '../commands/hosts/cron.ts';
import { specs as drains } from '../commands/hosts/drain.ts';
import { spec as feed } from '../commands/hosts/feed.ts';
import { spec as feeder } from '../commands/hosts/feeder.ts';
import { spec as nodes } from '../commands/hosts/nodes.ts';
import { spec as pid } from '../commands/hosts/pid.ts';
import { spec as restart } from '../commands/hosts/restart.ts';
import { spec as shutdown } from '../commands/hosts/shutdown.ts';
import { spec as start } from '../commands/hosts/start.ts';
import { spec as stop } from '../commands/hosts/stop.ts';
import { spec as deleteJobs } from '../commands/jobs/delete.ts';
import { spec as execute } from '../commands/jobs/execute.ts';
import { spec as list } from '../commands/jobs/list.ts';
import { spec as query } from '../commands/jobs/query.ts';
import { spec as resubmit } from '../commands/jobs/resubmit.ts';
import { spec as status } from '../commands/jobs/status.ts';
import { spec as submit } from '../commands/jobs/submit.ts';
import { spec as touch } from '../commands/jobs/touch.ts';
import { spec as update } from '../commands/jobs/update.ts';
import { spec as why } from '../commands/jobs/why.ts';
import { spec as backup } from '../commands/queue/backup.ts';
import { spec as configure } from '../commands/queue/configure.ts';
import { spec as create } from '../commands/queue/create.ts';
import { spec as doctor } from '../commands/queue/doctor.ts';
import { spec as lane } from '../commands/queue/lane.ts';
import { spec as lock } from '../commands/queue/lock.ts';
import { spec as recover } from '../commands/queue/recover.ts';
import { spec as rotate } from '../commands/queue/rotate.ts';
import { spec as snapshot } from '../commands/queue/snapshot.ts';
import { spec as upgrade } from '../commands/queue/upgrade.ts';
import { spec as ioview } from '../commands/streams/ioview.ts';
import { specs as streams } from '../commands/streams/stream.ts';
import { specs as streamPaths } from '../commands/streams/stream-path.ts';
import { spec as tail } from '../commands/streams/tail.ts';
import { spec as run } from '../commands/waiting/run.ts';
import { spec as state } from '../commands/waiting/state.ts';
import { spec as wait } from '../commands/waiting/wait.ts';
import type { CommandProgram } from './command-call.ts';
import type { CommandSpec, OptionSpec } from './command-spec.ts';
import { COMMON_OPTIONS, FORM_OPTIONS } from './shared-options.ts';

/** A command with defaults filled in, and its handler, which is loaded only to run it. */
export interface Command extends CommandSpec {
  readonly short: readonly string[];
  readonly positionals: string;
  readonly minPositionals: number;
  readonly maxPositionals: number;
  readonly load: () => Promise<CommandProgram>;
}

/** All commands. The build takes only the specifications from these files; see scripts/bundle.mjs. */
export const COMMANDS: readonly Command[] = [
  command(create, () => import('../commands/queue/create.ts')),
  command(submit, () => import('../commands/jobs/submit.ts')),
  command(run, () => import('../commands/waiting/run.ts')),
  command(touch, () => import('../commands/jobs/touch.ts')),
  command(resubmit, () => import('../commands/jobs/resubmit.ts')),
  command(update, () => import('../commands/jobs/update.ts')),
  command(kill, () => import('../commands/control/kill.ts')),
  command(signal, () => import('../commands/control/signal.ts')),
  ...pauses.map((spec) => command(spec, () => import('../commands/control/pause.ts'))),
  ...holds.map((spec) => command(spec, () => import('../commands/control/hold.ts'))),
  command(deleteJobs, () => import('../commands/jobs/delete.ts')),
  command(list, () => import('../commands/jobs/list.ts')),
  command(query, () => import('../commands/jobs/query.ts')),
  command(execute, () => import('../commands/jobs/execute.ts')),
  command(status, () => import('../commands/jobs/status.ts')),
  command(why, () => import('../commands/jobs/why.ts')),
  command(wait, () => import('../commands/waiting/wait.ts')),
  command(state, () => import('../commands/waiting/state.ts')),
  command(tail, () => import('../commands/streams/tail.ts')),
  ...streams.map((spec) => command(spec, () => import('../commands/streams/stream.ts'))),
  ...streamPaths.map((spec) => command(spec, () => import('../commands/streams/stream-path.ts'))),
  command(ioview, () => import('../commands/streams/ioview.ts')),
  command(feed, () => import('../commands/hosts/feed.ts')),
  command(start, () => import('../commands/hosts/start.ts')),
  command(shutdown, () => import('../commands/hosts/shutdown.ts')),
  command(stop, () => import('../commands/hosts/stop.ts')),
  command(restart, () => import('../commands/hosts/restart.ts')),
  command(pid, () => import('../commands/hosts/pid.ts')),
  command(feeder, () => import('../commands/hosts/feeder.ts')),
  command(nodes, () => import('../commands/hosts/nodes.ts')),
  ...drains.map((spec) => command(spec, () => import('../commands/hosts/drain.ts'))),
  command(cron, () => import('../commands/hosts/cron.ts')),
  command(configure, () => import('../commands/queue/configure.ts')),
  command(lane, () => import('../commands/queue/lane.ts')),
  command(snapshot, () => import('../commands/queue/snapshot.ts')),
  command(backup, () => import('../commands/queue/backup.ts')),
  command(rotate, () => import('../commands/queue/rotate.ts')),
  command(lock, () => import('../commands/queue/lock.ts')),
  command(recover, () => import('../commands/queue/recover.ts')),
  command(upgrade, () => import('../commands/queue/upgrade.ts')),
  command(doctor, () => import('../commands/queue/doctor.ts')),
  command(help, () => import('../commands/about/help.ts')),
  command(version, () => import('../commands/about/version.ts')),
  command(completion, () => import('../commands/about/completion.ts')),
];

/** The options of all commands, each once. */
export const ALL_OPTIONS: readonly OptionSpec[] = [
  ...new Map(COMMANDS.flatMap(optionsOf).map((option) => [option.name, option])).values(),
];

/** The command with this name or short name. */
export function findCommand(word: string | undefined): Command | undefined {
  return COMMANDS.find(({ name, short }) => name === word || (word !== undefined && short.includes(word)));
}

/** The options of a command, common options last. */
export function optionsOf(command: CommandSpec): readonly OptionSpec[] {
  return [...command.options, ...COMMON_OPTIONS];
}

function command(spec: CommandSpec, load: Command['load']): Command {
  const options = spec.report === JOB_FIELDS ? [...spec.options, ...FORM_OPTIONS] : spec.options;
  return { short: [], positionals: '', minPositionals: 0, maxPositionals: 0, ...spec, options, load };
}
