import { isUtf8 } from 'node:buffer';
import { runProgram } from '../../job/run-program.ts';
import type { Scratch } from '../../store/recovery/scratch.ts';

const PROGRAM = 'sqlite3';
/** Rows of the freelist belong to deleted jobs. SQLite before 3.40 skips them without being told, and has no such option. */
const SCRIPTS = ['.recover --ignore-freelist', '.recover'];
const UNKNOWN_OPTION = /unexpected option|unknown option/;

export interface ProgramOptions {
  readonly timeoutMs: number;
  readonly refresh: () => void;
}

/** How `sqlite3 .recover` ended: `unsupported` if the program is not installed or was built without `.recover`. */
export type ProgramResult = 'done' | 'timed out' | 'unsupported';

/** Has `sqlite3 .recover` read a damaged database, and adds the statements that it prints to a scratch database. */
export async function runRecoverProgram(
  path: string,
  scratch: Scratch,
  options: ProgramOptions,
): Promise<ProgramResult> {
  for (const script of SCRIPTS) {
    const { result, stderr } = await runScript([path, script], scratch, options);
    if (result !== 'done' || !UNKNOWN_OPTION.test(stderr)) return result;
  }
  return 'unsupported';
}

async function runScript(
  positionals: readonly string[],
  scratch: Scratch,
  { timeoutMs, refresh }: ProgramOptions,
): Promise<{ result: ProgramResult; stderr: string }> {
  const child = runProgram(PROGRAM, ['-batch', '-readonly', ...positionals], {
    stdin: 'ignore',
    buffer: { stdout: false },
    maxBuffer: 100_000,
    encoding: 'latin1',
    reject: false,
    timeout: timeoutMs,
  });
  let statements = 0;
  for await (const statement of splitStatements(child.stdout)) {
    scratch.add(statement);
    statements += 1;
    refresh();
  }
  const { timedOut, stderr } = await child;
  const result = timedOut ? 'timed out' : statements === 0 ? 'unsupported' : 'done';
  return { result, stderr };
}

/**
 * Splits the output of `.recover` into its INSERT statements and its one-line CREATE statements. Text in them may
 * contain newlines. `chunks` are bytes as latin1; statements that are not UTF-8 are left out.
 */
export async function* splitStatements(chunks: AsyncIterable<string | Uint8Array>): AsyncGenerator<string> {
  let rest = '';
  let statement = '';
  let quotes = 0;
  for await (const chunk of chunks) {
    const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1'))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // Lines between statements belong to the CREATE statements of tables.
      if (statement === '' && !/^(?:INSERT|CREATE) /.test(line)) continue;
      statement += statement === '' ? line : `\n${line}`;
      quotes += line.split("'").length - 1;
      const isComplete = line.endsWith(';') && quotes % 2 === 0;
      if (!isComplete && statement.startsWith('INSERT ')) continue;
      const bytes = Buffer.from(statement, 'latin1');
      if (isUtf8(bytes)) yield bytes.toString();
      statement = '';
      quotes = 0;
    }
  }
}
