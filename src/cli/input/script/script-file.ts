import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorMessage, RqError } from '../../../job/errors.ts';
import { MAX_SCRIPT_BYTES } from '../../../job/limits.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { requireReadable } from '../readable-path.ts';
import { readAll } from '../standard-input.ts';

/** A script as it was read. */
export interface ScriptFile {
  /** As the user named it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly firstLine: string;
  /** The `#RQ` lines before the first command. */
  readonly optionLines: readonly OptionLine[];
  /** The number of the first `#RQ` line after the first command; rq does not read it. */
  readonly lateLine: number | undefined;
}

export interface OptionLine {
  readonly line: number;
  readonly text: string;
}

const OPTIONS = /^#RQ(?:\s+(.*))?$/;
const COMMENT = /^\s*(?:#|$)/;

/** Reads a script from a path, or from stdin for `-`. Throws INVALID_INPUT, or USAGE if stdin is a terminal. */
export async function readScriptFile(call: CommandCall, path: string): Promise<ScriptFile> {
  const action = `cannot ${call.command}`;
  const name = path === '-' ? 'stdin' : path;
  const bytes = path === '-' ? await readStdin(call) : readFile(path, action);
  const fault = faultOf(bytes);
  if (fault !== undefined) throw new RqError('INVALID_INPUT', `${action}: the script ${name} ${fault}`);
  const lines = new TextDecoder().decode(bytes).split('\n');
  const length = lines.findIndex((line) => !COMMENT.test(line));
  const header = lines.slice(0, length === -1 ? lines.length : length);
  refuseCarriageReturns([lines[0] ?? '', ...header], name, action);
  const optionLines = header.flatMap((line, index): OptionLine[] => {
    const text = OPTIONS.exec(line)?.[1];
    return text === undefined ? [] : [{ line: index + 1, text }];
  });
  const invalid = optionLines.find(({ text }) => text.includes('\ufffd'));
  if (invalid !== undefined && !isUtf8(bytes)) {
    throw new RqError('INVALID_INPUT', `${action}: ${name}, line ${invalid.line}: the line is not UTF-8`);
  }
  const late = lines.findIndex((line, index) => index >= header.length && /^#RQ\s+-/.test(line));
  return { name, bytes, firstLine: lines[0] ?? '', optionLines, lateLine: late === -1 ? undefined : late + 1 };
}

function faultOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_SCRIPT_BYTES) return `is larger than ${MAX_SCRIPT_BYTES} bytes: have it run another file`;
  if (bytes.includes(0)) return 'is a binary file: submit a program as a command line, without --script';
  return bytes.every((byte) => byte <= 0x20) ? 'is empty' : undefined;
}

/** The kernel would look for an interpreter whose name ends with the character. */
function refuseCarriageReturns(lines: readonly string[], name: string, action: string): void {
  if (!lines.some((line) => line.endsWith('\r'))) return;
  const message = `${action}: the lines of the script ${name} end with CR LF, as on Windows; remove the CR characters with tr -d '\\r'`;
  throw new RqError('INVALID_INPUT', message);
}

function readFile(path: string, action: string): Uint8Array {
  const absolute = resolve(path);
  requireReadable(absolute, 'script', action);
  try {
    // A larger file is refused, and need not be read completely.
    const { size } = statSync(absolute);
    return size > MAX_SCRIPT_BYTES ? new Uint8Array(MAX_SCRIPT_BYTES + 1) : readFileSync(absolute);
  } catch (error) {
    throw new RqError('INVALID_INPUT', `${action}: cannot read the script ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

async function readStdin({ command, input }: CommandCall): Promise<Uint8Array> {
  if (input.kind !== 'terminal') return await readAll(input);
  throw new RqError('USAGE', `cannot ${command}: stdin is a terminal; redirect stdin, or use --script FILE`);
}
