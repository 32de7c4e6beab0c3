// Bundled and imported by claim.mjs.
import { type AttemptEnd, exchange } from '../src/queue/exchange/exchange.ts';
import { openQueue } from '../src/queue/open.ts';

/**
 * Makes exchanges that claim `jobs` jobs each and, if `reports` is set, report the jobs of the exchange before. Returns
 * milliseconds per exchange.
 */
export async function exchangeMs(path: string, count: number, jobs: number, reports: boolean): Promise<number> {
  const queue = await openQueue(path, { lockTimeoutMs: 10_000 });
  const claimant = { host: 'h', boot: 'b', journal: 'j' };
  let ends: AttemptEnd[] = [];
  const once = async (): Promise<void> => {
    const request = {
      claimant,
      starts: [],
      ends,
      releases: [],
      room: { cpus: jobs, ahead: 0, memory: null, gpus: 0, resources: {} },
      mayRun: (): boolean => true,
    };
    const { claimed } = await exchange(queue, request);
    if (claimed.length !== jobs) throw new Error(`claimed ${claimed.length} of ${jobs} jobs`);
    if (!reports) return;
    ends = claimed.map(({ jid, claim, started }) => {
      const none = { signal: null, reason: null, isLost: false };
      return { jid, claim, started, finished: started, elapsed: 0, pid: 5, exit_status: 0, ...none };
    });
  };
  await once();
  const start = performance.now();
  for (let index = 0; index < count; index++) await once();
  queue.close();
  return (performance.now() - start) / count;
}
