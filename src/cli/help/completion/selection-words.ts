import { JOB_FIELDS, JOB_STATES } from '../../../job/job.ts';
import { printableLine } from '../../../job/printable.ts';
import { bare, behind, type Candidate, type Completion, oneOf } from './candidates.ts';

const LIMIT = 200;
/** Where nothing is typed, jids come after all else that selects: the newest few will do. */
const FEW = 20;
const TAG = 'tag=';

/** A word of a selection: states, `all`, keys, tags and jids, the last of a list with commas. */
export async function completeSelection(queue: string, typed: string): Promise<Completion> {
  if (typed.startsWith(TAG)) return behind(TAG, oneOf(await completeTags(queue, typed.slice(TAG.length))));
  if (typed.startsWith('state=')) return behind('state=', oneOf(bare(JOB_STATES)));
  const head = /^(?:.*,)?(?:\d+-)?/s.exec(typed)?.[0] ?? '';
  const part = typed.slice(head.length);
  if (head.endsWith('-')) return behind(head, oneOf(await completeJids(queue, part)));
  const states = [
    ...bare(JOB_STATES, 'jobs in this state'),
    { text: 'failed', about: 'jobs that failed' },
    { text: 'all', about: 'all jobs' },
  ];
  const keys = head === '' ? keyCandidates(part) : [];
  const jids = part === '' ? await completeJids(queue, '', FEW) : await completeJids(queue, part);
  return behind(head, oneOf([...states, ...keys, ...jids]));
}

/** The newest jobs whose jid begins with what is typed. */
export async function completeJids(queue: string, typed: string, limit = LIMIT): Promise<Candidate[]> {
  if (!/^\d*$/.test(typed)) return [];
  // Loaded with the database, which most completions do without.
  const { completeJid } = await import('../../../queue/jobs/complete.ts');
  const jobs = await completeJid(queue, typed, limit);
  return jobs.map(({ jid, state, command }) => ({ text: String(jid), about: `${state}: ${printableLine(command)}` }));
}

/** The tags of a queue; those that a terminal would obey are left out. */
export async function completeTags(queue: string, typed: string): Promise<Candidate[]> {
  const { completeTag } = await import('../../../queue/jobs/complete.ts');
  const tags = await completeTag(queue, typed, LIMIT);
  return bare(tags.filter((tag) => printableLine(tag) === tag));
}

/** `tag=` is what is asked for most; the other keys would hide the states until one is begun. */
function keyCandidates(typed: string): Candidate[] {
  const keys = typed === '' ? ['tag'] : JOB_FIELDS;
  return keys.map((key) => ({ text: `${key}=`, about: `jobs with this ${key}` }));
}
