import { errorCode, errorMessage, RqError } from '../job/errors.ts';

/** One result of a check, as text for the user. */
export interface Finding {
  /** `problem`: the queue does not work on this host, or will soon fail. `note`: it works. `not checked`: unknown. */
  readonly level: 'problem' | 'note' | 'not checked';
  readonly found: string;
  /** The effect on the queue. */
  readonly why?: string;
  readonly advice?: string;
}

/** A check and its findings. There are none if all is well. */
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

/** The findings in a list of conditional ones. */
export function list(...findings: readonly (Finding | false)[]): Finding[] {
  return findings.filter((finding): finding is Finding => finding !== false);
}

/** The findings of a check, or one that says why it failed. */
export async function runCheck(
  check: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof RqError)) throw error;
    return [notChecked(errorMessage(error), 'run doctor as a user with access to the queue, or on another host')];
  }
}

/** The worst level of some findings, or `ok`. An incomplete check is worse than a note. */
export function worstLevel(findings: readonly Finding[]): 'ok' | Finding['level'] {
  const levels = new Set(findings.map(({ level }) => level));
  return (['problem', 'not checked', 'note'] as const).find((level) => levels.has(level)) ?? 'ok';
}

/** The first few names, and the number of the others. */
export function shortList(names: readonly string[], shown = 5): string {
  const first = names.slice(0, shown).join(', ');
  return names.length <= shown ? first : `${first} and ${names.length - shown} more`;
}
