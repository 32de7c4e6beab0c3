import { isHostName } from '../../job/host.ts';
import type { AttemptKey } from '../../job/job.ts';
import { isRunning, otherHostsAttempts, type RunningAttemptRow, reportEnd } from '../../store/attempts.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';

export type { RunningAttemptRow };

/** What hosts other than this one are running, by host; takes no lease. */
export async function readOtherHostsAttempts(queue: Queue, host: string): Promise<Map<string, RunningAttemptRow[]>> {
  const rows = await read(queue, (connection) => otherHostsAttempts(connection, host));
  const byHost = new Map<string, RunningAttemptRow[]>();
  for (const row of rows.filter(({ runner }) => isHostName(runner)))
    byHost.set(row.runner, [...(byHost.get(row.runner) ?? []), row]);
  return byHost;
}

/**
 * Ends attempts of a host that is gone on its behalf: a restartable job is pending again, any other is dead for this
 * reason. Gives those that were still running; what changed in the meantime is left as it is.
 */
export async function declareLost(
  queue: Queue,
  attempts: readonly RunningAttemptRow[],
  reason: string,
): Promise<AttemptKey[]> {
  return await transaction(queue, ({ connection }) => {
    const finished = queue.clock.now();
    const unknown = { elapsed: null, exit_status: null, signal: null };
    const lost = attempts.filter((attempt) => isRunning(connection, attempt));
    for (const { jid, attempt, pid, started, runner } of lost) {
      reportEnd(connection, runner, { jid, attempt, pid, started, finished, ...unknown, reason, isLost: true });
    }
    return lost;
  });
}
