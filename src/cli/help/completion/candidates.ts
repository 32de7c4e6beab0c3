import { JOB_STATES, STORED_FIELDS } from '../../../job/job.ts';
import { printableLine } from '../../../job/printable.ts';

/** A text that may come next, and a short description. */
export interface Candidate {
  readonly text: string;
  readonly about: string;
}

/** The possible next words: candidates, and the kind of file names that the shell adds. */
export interface Completion {
  readonly files: 'none' | 'files' | 'directories';
  readonly candidates: readonly Candidate[];
}

export const NO_CANDIDATES: Completion = { files: 'none', candidates: [] };
export const FILES: Completion = { files: 'files', candidates: [] };
export const DIRECTORIES: Completion = { files: 'directories', candidates: [] };

const LIMIT = 200;
/** The number of jids that are offered before a digit is typed. */
const FEW = 20;
const TAG = 'tag=';

/** Candidates without file names. */
export function completionOf(candidates: readonly Candidate[]): Completion {
  return { files: 'none', candidates };
}

/** Names without a description. */
export function candidatesFrom(names: readonly string[], about = ''): Candidate[] {
  return names.map((text) => ({ text, about }));
}

/** The candidates that begin with what was typed. */
export function startingWith({ files, candidates }: Completion, typed: string): Completion {
  return { files, candidates: candidates.filter(({ text }) => text.startsWith(typed)) };
}

/** The same candidates with a prefix, such as `--tag=`. */
export function withPrefix(prefix: string, { files, candidates }: Completion): Completion {
  return { files, candidates: candidates.map(({ text, about }) => ({ text: prefix + text, about })) };
}

/** A word of a selection: states, `all`, keys, tags and jids; in a list with commas, its last part. */
export async function completeSelection(queue: string, typed: string): Promise<Completion> {
  if (typed.startsWith(TAG)) return withPrefix(TAG, completionOf(await completeTags(queue, typed.slice(TAG.length))));
  if (typed.startsWith('state=')) return withPrefix('state=', completionOf(candidatesFrom(JOB_STATES)));
  const prefix = /^(?:.*,)?(?:\d+-)?/s.exec(typed)?.[0] ?? '';
  const part = typed.slice(prefix.length);
  if (prefix.endsWith('-')) return withPrefix(prefix, completionOf(await completeJids(queue, part)));
  const states = [
    ...candidatesFrom(JOB_STATES, 'jobs in this state'),
    { text: 'failed', about: 'failed jobs' },
    { text: 'all', about: 'all jobs' },
  ];
  const keys = prefix === '' ? keyCandidates(part) : [];
  const jids = part === '' ? await completeJids(queue, '', FEW) : await completeJids(queue, part);
  return withPrefix(prefix, completionOf([...states, ...keys, ...jids]));
}

/** The newest jobs whose jid begins with what was typed. */
export async function completeJids(queue: string, typed: string, limit = LIMIT): Promise<Candidate[]> {
  if (!/^\d*$/.test(typed)) return [];
  // Loads the database, which most completions do not need.
  const { completeJid } = await import('../../../queue/jobs/complete.ts');
  const jobs = await completeJid(queue, typed, limit);
  return jobs.map(({ jid, state, command }) => ({ text: String(jid), about: `${state}: ${printableLine(command)}` }));
}

/** The tags of a queue, without those that contain control characters. */
export async function completeTags(queue: string, typed: string): Promise<Candidate[]> {
  const { completeTag } = await import('../../../queue/jobs/complete.ts');
  const tags = await completeTag(queue, typed, LIMIT);
  return candidatesFrom(tags.filter((tag) => printableLine(tag) === tag));
}

/** The lanes of a queue; in a list with commas, for its last part. */
export async function completeLanes(queue: string, typed: string): Promise<Completion> {
  const { completeLane } = await import('../../../queue/jobs/complete.ts');
  const prefix = /^(?:.*,)?/s.exec(typed)?.[0] ?? '';
  return withPrefix(prefix, completionOf(candidatesFrom(await completeLane(queue, typed.slice(prefix.length), LIMIT))));
}

/** The hosts that have a node. */
export async function completeHosts(queue: string): Promise<Candidate[]> {
  const { readNodes } = await import('../../../queue/nodes/nodes.ts');
  return candidatesFrom(readNodes(queue).map(({ host }) => host));
}

/** Before a key is begun, only `tag=`: all keys would hide the states. */
function keyCandidates(typed: string): Candidate[] {
  const keys = typed === '' ? ['tag'] : STORED_FIELDS;
  return keys.map((key) => ({ text: `${key}=`, about: `jobs with this ${key}` }));
}
