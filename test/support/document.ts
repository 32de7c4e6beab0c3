import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.ts';

/** The text of the first block of a document that is between lines of three backquotes. */
export function fencedBlock(file: string): string {
  return /^```.*\n([\s\S]*?)^```$/m.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1] ?? '';
}

/** The commands of a document, or of one section of it: the indented lines. */
export function commandsOf(file: string, section?: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const part =
    section === undefined ? text : (text.split(/^## /m).find((each) => each.startsWith(`${section}\n`)) ?? '');
  return [...part.matchAll(/^ {4}(\S.*)$/gm)].map((match) => match[1] ?? '');
}
