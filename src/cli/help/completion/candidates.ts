/** One text that may come next, and in a few words what it is. */
export interface Candidate {
  readonly text: string;
  readonly about: string;
}

/** What may come next: candidates, and which names of files the shell is to add to them. */
export interface Completion {
  readonly files: 'none' | 'files' | 'directories';
  readonly candidates: readonly Candidate[];
}

export const NOTHING: Completion = { files: 'none', candidates: [] };
export const FILES: Completion = { files: 'files', candidates: [] };
export const DIRECTORIES: Completion = { files: 'directories', candidates: [] };

/** Candidates and no files. */
export function oneOf(candidates: readonly Candidate[]): Completion {
  return { files: 'none', candidates };
}

/** Names that need no explanation. */
export function bare(names: readonly string[], about = ''): Candidate[] {
  return names.map((text) => ({ text, about }));
}

/** Those candidates that go on from what was typed. */
export function fitting({ files, candidates }: Completion, typed: string): Completion {
  return { files, candidates: candidates.filter(({ text }) => text.startsWith(typed)) };
}

/** The same behind a beginning that stays as it is, such as `--tag=`. */
export function behind(head: string, { files, candidates }: Completion): Completion {
  return { files, candidates: candidates.map(({ text, about }) => ({ text: head + text, about })) };
}
