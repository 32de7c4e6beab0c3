import { readFileSync } from 'node:fs';

/**
 * Reads the file `begun`, in which the starter records each attempt before it begins (docs/starter-protocol.md). Returns
 * the names of the attempts. Undefined if the file cannot be read or belongs to another journal.
 */
export function readStartRecords(path: string, journalId: string | undefined): Set<string> | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  const [first, ...names] = text.split('\n').map((line) => line.trim());
  return first === journalId ? new Set(names) : undefined;
}
