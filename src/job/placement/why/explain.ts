import { blockersOf } from './blockers.ts';
import type { HostVerdict, QueueFacts, WaitingFacts } from './facts.ts';
import { hostCauses } from './host-causes.ts';
import { hostSentences } from './host-sentences.ts';
import { verdictOf } from './verdicts.ts';

/** Why a job does not run, in sentences, and whether each host can run it. */
export interface Explanation {
  readonly why: readonly string[];
  readonly hosts: readonly HostVerdict[];
}

export function explain(waiting: WaitingFacts, queue: QueueFacts): Explanation {
  const { now } = queue;
  const blockers = blockersOf(waiting, queue);
  const causes = hostCauses(waiting, queue);
  return {
    why: [...blockers.map(({ text }) => text), ...hostSentences(waiting, causes, blockers, now)],
    hosts: causes.map((each) => verdictOf(each, blockers, now)),
  };
}
