import { execa } from 'execa';
import { becomeDaemon, isDaemon, reportToParent, startDaemon } from '../../../feeder/daemon.ts';
import { feed } from '../../../feeder/feed.ts';
import { RqError } from '../../../job/errors.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { daemonWords, feederLogPath, feedOptions } from './feeder-call.ts';
import { startInBackground } from './start.ts';

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const;
/** A terminal sends these to the child as well: twice, they would mean more. */
const TYPED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** Feeds until told to end. */
export async function run(call: CommandCall): Promise<number | undefined> {
  const asDaemon = isDaemon();
  // RQ_OPTS may say it again to the daemon itself.
  if (call.options.flag('daemon') && !asDaemon) return await startInBackground(call);
  if (asDaemon) becomeDaemon();
  try {
    const result = await feed({ ...feedOptions(call), onReady: () => reportToParent('ready') });
    return result === 'restart' ? await startAnew(call, asDaemon) : undefined;
  } catch (error) {
    const isQuiet = error instanceof RqError && error.code === 'FEEDER_EXISTS' && call.options.flag('quiet');
    if (asDaemon) reportToParent({ error });
    if (isQuiet) return undefined;
    throw error;
  }
}

/** After SIGHUP: the same program, perhaps a newer one by now, with the same words. */
async function startAnew(call: CommandCall, asDaemon: boolean): Promise<number | undefined> {
  if (asDaemon) {
    const logPath = feederLogPath(call);
    await startDaemon(daemonWords(call, logPath), logPath);
    return undefined;
  }
  const child = execa(process.execPath, process.argv.slice(1), { stdio: 'inherit', reject: false });
  const forward = (signal: NodeJS.Signals): void => {
    if (!(process.stdin.isTTY && TYPED.includes(signal))) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  return (await child).exitCode ?? 1;
}
