import type { Shape } from '../../../job/placement/shape.ts';
import { freeOf, shortagesOf } from '../../../job/placement/why/capacity.ts';
import type { HostFacts, QueueFacts, Turn } from '../../../job/placement/why/facts.ts';
import { type HostMatcher, hostMatcher } from '../../../job/placement/why/host-matcher.ts';
import { type Claimer, ClaimForecast } from '../../../store/claim/claim-forecast.ts';
import { readHostJobs, readRunners } from '../../../store/claim/host-jobs.ts';
import { limitsIn } from '../../../store/claim/limits.ts';
import type { ArrayRow } from '../../../store/claim/waiting-rows.ts';
import type { Connection } from '../../../store/connection.ts';
import { drainedHosts } from '../../../store/control/hosts.ts';
import type { HostStates } from '../../nodes/host-states.ts';
import { placementRules } from '../../placement-rules.ts';

/** The queue at the moment of a transaction, and the order in which hosts would claim. */
export interface QueueForecast {
  readonly facts: QueueFacts;
  readonly turnOf: (jid: number, shape: Shape, host: string) => Turn | undefined;
}

/** Reads what a claim reads, for any number of jobs. `now` is by the clock of this host. */
export function readClaimForecast(
  connection: Connection,
  { hosts: states, serverNow }: HostStates,
  arrays: ReadonlyMap<number, ArrayRow>,
  now: string,
): QueueForecast {
  const rules = placementRules(connection);
  const drained = new Map(drainedHosts(connection).map((drain) => [drain.host, drain]));
  const jobs = readHostJobs(connection);
  const mayRun = hostMatcher();
  const hosts = states.map((state): HostFacts => {
    const own = jobs.get(state.host) ?? [];
    return {
      ...state,
      free: freeOf(
        state.capacity,
        own.map(({ shape }) => shape),
      ),
      running: own.map(({ jid }) => jid),
      drained: drained.get(state.host),
    };
  });
  const maxFails = new Map([...arrays].flatMap(([array, { maxFails: max }]) => (max === null ? [] : [[array, max]])));
  const facts = { now, serverNow, hosts, mayRun, limits: limitsIn(connection, rules), maxFails };
  const forecast = new ClaimForecast(connection, { now, serverNow }, rules);
  const claimers = claimersOf(hosts, readRunners(connection), mayRun);
  const turnOf: QueueForecast['turnOf'] = (jid, shape, host) => {
    const claimer = claimers.get(host);
    return claimer === undefined ? undefined : forecast.turnOf(jid, shape, claimer);
  };
  return { facts, turnOf };
}

function claimersOf(
  hosts: readonly HostFacts[],
  runners: readonly string[],
  mayRun: HostMatcher,
): Map<string, Claimer> {
  return new Map(
    hosts.map(({ host, free, capacity }) => {
      const isAllowed = runners.map((text) => Number(mayRun(text, host))).join('');
      const claimer: Claimer = {
        host,
        room: free,
        mayRun: (text) => mayRun(text, host),
        fits: (shape) => shortagesOf(shape, capacity).length === 0,
        kind: `${JSON.stringify(capacity)} ${isAllowed}`,
      };
      return [host, claimer];
    }),
  );
}
