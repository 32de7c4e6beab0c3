/** One thing that a check found. */
export interface Finding {
  /** `problem`: the queue does not work here, or not for long; `note`: it does; `not checked`: nobody can tell from here. */
  readonly level: 'problem' | 'note' | 'not checked';
  readonly found: string;
  /** What that does to the queue; for a person, as all three. */
  readonly why?: string;
  readonly advice?: string;
}

/** What was looked at, and what was found there; nothing if all is well. */
export interface Check {
  readonly name: string;
  readonly findings: readonly Finding[];
}

export function problem(found: string, why: string, advice: string): Finding {
  return { level: 'problem', found, why, advice };
}

export function note(found: string, why: string, advice: string): Finding {
  return { level: 'note', found, why, advice };
}

export function notChecked(found: string, advice: string): Finding {
  return { level: 'not checked', found, advice };
}

/** The worst of some findings, or `ok`. A check that was made in part is worse than one that was made, and found little. */
export function verdict(findings: readonly Finding[]): 'ok' | Finding['level'] {
  const levels = new Set(findings.map(({ level }) => level));
  return (['problem', 'not checked', 'note'] as const).find((level) => levels.has(level)) ?? 'ok';
}

/** Some names as a phrase, however many there are: the first few, and the number of the others. */
export function phrase(names: readonly string[], shown = 5): string {
  const first = names.slice(0, shown).join(', ');
  return names.length <= shown ? first : `${first} and ${names.length - shown} more`;
}
