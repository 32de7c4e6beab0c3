import { constants, isUtf8 } from 'node:buffer';
import { RqError } from '../job/errors.ts';
import { fieldCheck } from '../job/fields.ts';
import { checkEntry, type JobEntry } from './entry.ts';
import { type RawEntry, readPrintedJson, readPrintedYaml } from './printed.ts';

/** A job that a submitter entered, with its first line. */
export interface SubmittedEntry extends JobEntry {
  readonly line: number;
  readonly command: string;
  /** The time of submission, if rq printed the job. It distinguishes the job from one of another queue. */
  readonly submitted?: string;
}

/** The first relevant line of a document: `---`, `%YAML`, the `-` of a list, or JSON with a job or text. */
const DOCUMENT =
  /^(?:---(?:\s|$)|%YAML |-(?:\s|$)|\[\s*(?:\{\s*"\w+"\s*:|"(?:[^"\\]|\\.)*"\s*[,\]]|\]\s*$)|\{\s*"\w+"\s*:)/;
/** A bracket that is alone on its line starts JSON if the next lines are JSON. */
const BRACKET = /^[[{]\s*$/;
/** A line of a job as rq prints it. In a list of command lines, the first line of the document is missing. */
const FIELD_LINE = /^(?: {2}|- )?(?:command:(?: |$)|jid: \d+$)/;

/**
 * Reads jobs from bytes. A document (first line `---`, `%YAML`, `-`, or JSON) is parsed as YAML or JSON. Other text has
 * one command line on each line; blank lines and lines that start with `#` are skipped, and white space is kept. Throws
 * INVALID_INPUT with the line of the first fault, and if there are no jobs.
 */
export async function readSubmittedEntries(bytes: Uint8Array, source: string): Promise<SubmittedEntry[]> {
  const text = decodeText(bytes, source);
  const entries = isDocument(text) ? await readDocument(text, source) : readLines(text, source);
  if (entries.length > 0) return entries;
  throw new RqError(
    'INVALID_INPUT',
    `there are no jobs in ${source}: give one command line per line, or YAML as printed by rq`,
  );
}

/** Whether the text is YAML or JSON, and not a list of command lines. */
export function isDocument(text: string): boolean {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(start, end);
    if (line.trim() !== '' && !line.startsWith('#')) return isDocumentStart(line, text.slice(end, end + 4096));
    start = end + 1;
  }
  return false;
}

function isDocumentStart(line: string, rest: string): boolean {
  if (DOCUMENT.test(line)) return true;
  return BRACKET.test(line) && DOCUMENT.test(`${line.trim()}${rest.trimStart()}`);
}

async function readDocument(text: string, source: string): Promise<SubmittedEntry[]> {
  const raw =
    readPrintedYaml(text) ?? readPrintedJson(text) ?? (await import('./library.ts')).readAnyYaml(text, source);
  return raw.map((entry, index) => checkRaw(entry, index, source));
}

function checkRaw(raw: RawEntry, index: number, source: string): SubmittedEntry {
  const prefix = (): string => `cannot submit job ${index + 1} of ${source} (line ${raw.line})`;
  const { command, ...others } = checkEntry(raw.fields, prefix);
  const submitted = raw.fields.find(([key]) => key === 'submitted')?.[1];
  const origin = typeof submitted === 'string' ? { submitted } : {};
  if (command !== undefined) return { line: raw.line, ...others, ...origin, command };
  throw new RqError('INVALID_INPUT', `${prefix()}: the job has no command`);
}

function readLines(text: string, source: string): SubmittedEntry[] {
  const entries: SubmittedEntry[] = [];
  let line = 0;
  for (const command of text.split('\n')) {
    line += 1;
    if (command.startsWith('#') || command.trim() === '') continue;
    const fault = lineFaultOf(command);
    if (fault !== undefined) throw lineFault(line, fault, source);
    entries.push({ line, command });
  }
  return entries;
}

const checkCommand = fieldCheck('command');

function lineFaultOf(command: string): string | undefined {
  if (command.endsWith('\r')) return CARRIAGE_RETURN;
  return FIELD_LINE.test(command) ? FIELD : checkCommand?.(command);
}

const FIELD = `is a field of a job in YAML: put "---" before the first line, or quote the word if it is a program`;
export const CARRIAGE_RETURN = "ends with CR LF, as on Windows: remove the CR characters with tr -d '\\r'";

function lineFault(line: number, fault: string, source: string): RqError {
  const hint = fault.includes('NUL') ? '; check that the input is not a binary file' : '';
  return new RqError('INVALID_INPUT', `cannot submit line ${line} of ${source}: the command ${fault}${hint}`);
}

/** The text of bytes in UTF-8. Throws INVALID_INPUT with the number of the first line that is not. */
export function decodeText(bytes: Uint8Array, source: string): string {
  if (bytes.length > constants.MAX_STRING_LENGTH) {
    throw new RqError('INVALID_INPUT', `${source} is larger than ${constants.MAX_STRING_LENGTH} bytes: split the list`);
  }
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  let start = 0;
  for (let line = 1; ; line += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new RqError(
        'INVALID_INPUT',
        `line ${line} of ${source} is not UTF-8; nothing was submitted; convert the input with iconv`,
      );
    }
    start = end + 1;
  }
}
