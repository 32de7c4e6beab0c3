import { isHostName } from '../../job/host.ts';
import type { AttemptKey } from '../../job/job.ts';
import { otherHostsAttempts, type RunningAttemptRow, reportLost } from '../../store/attempts.ts';
import { workOffDecisions } from '../../store/dependencies/work-off.ts';
import type { Queue } from '../open.ts';
import { read } from '../transaction/read.ts';
import { transaction } from '../transaction/transaction.ts';

export type { RunningAttemptRow };

/** The running attempts of all hosts except this one, by host. Takes no lease. */
export async function readOtherHostsAttempts(queue: Queue, host: string): Promise<Map<string, RunningAttemptRow[]>> {
  const rows = await read(queue, (connection) => otherHostsAttempts(connection, host));
  const byHost = new Map<string, RunningAttemptRow[]>();
  for (const row of rows.filter(({ runner }) => isHostName(runner))) {
    byHost.set(row.runner, [...(byHost.get(row.runner) ?? []), row]);
  }
  return byHost;
}

/** Reports attempts of a lost host in its place. Returns the attempts that were still running; others stay as they are. */
export async function declareLost(
  queue: Queue,
  attempts: readonly RunningAttemptRow[],
  reason: string,
): Promise<AttemptKey[]> {
  return await transaction(queue, ({ connection }) => {
    const now = queue.clock.now();
    const lost: AttemptKey[] = [];
    for (const attempt of attempts) {
      connection.part(
        () => {
          if (reportLost(connection, attempt, reason, now)) lost.push(attempt);
        },
        // The row stays as it is: rq did not write it, or a trigger of a user rejects the change.
        () => undefined,
      );
    }
    workOffDecisions(connection, now);
    return lost;
  });
}
