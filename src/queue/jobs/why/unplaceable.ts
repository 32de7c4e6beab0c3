import type { Submission } from '../../../job/job.ts';
import { shapeOf } from '../../../job/placement/shape.ts';
import { unplaceableText } from '../../../job/placement/why/unplaceable.ts';
import { hostStates } from '../../nodes/host-states.ts';
import type { Queue } from '../../open.ts';

/**
 * The number of submissions that no host that feeds can ever run, by the reason. Reads the files of the nodes only if a
 * submission requests more than one cpu on any host.
 */
export function unplaceableJobs(queue: Queue, submissions: readonly Submission[]): Map<string, number> {
  const counts = new Map<string, number>();
  const requesting = submissions.filter(({ runners, cpus, memory, gpus, needs }) => {
    return [runners, cpus, memory, gpus, needs].some((value) => value !== null);
  });
  if (requesting.length === 0) return counts;
  const { hosts } = hostStates(queue);
  const texts = new Map<string, string | undefined>();
  for (const { runners, cpus, memory, gpus, needs } of requesting) {
    const key = JSON.stringify([runners, cpus, memory, gpus, needs]);
    if (!texts.has(key)) {
      const shape = shapeOf({ owner: '', runners, cpus, memory, gpus, needs, lanes: null }, null);
      texts.set(key, unplaceableText(shape, hosts));
    }
    const text = texts.get(key);
    if (text !== undefined) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}
