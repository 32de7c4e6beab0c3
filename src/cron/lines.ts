import { RqError } from '../job/errors.ts';

/** A crontab entry: a schedule and a command. */
export interface CronEntry {
  /** The time fields of crontab(5), or @reboot. */
  readonly when: string;
  /** A shell command in which every % is between single quotes. */
  readonly command: string;
}

/** Whether a quoted queue path, as it appears in a line, names the queue in question. */
export type IsOwn = (queueWord: string) => boolean;

/** Vixie cron and its descendants silently truncate longer commands (MAX_COMMAND in cron.h, including the final 0). */
const MAX_COMMAND_BYTES = 998;

/**
 * A line that is not a comment and ends with rq's mark. A path cannot forge the mark of another queue: a path begins with
 * a slash, and in a quoted word only the first quote is followed by a slash.
 */
const MARKED = /^(?![ \t]*#).* # rq cron (\/[A-Za-z0-9_/.,:=@+-]*|'\/[^']*'(?:\\['%]'[^']*')*)[ \t\r]*\n?$/;

/** Formats an entry as a crontab line with the mark of its queue, without a newline. Throws INVALID_INPUT. */
export function cronLine({ when, command }: CronEntry, queueWord: string): string {
  const marked = `${escapePercent(command)} # rq cron ${escapePercent(queueWord)}`;
  if (/[\n\0]/.test(marked)) {
    throw new RqError(
      'INVALID_INPUT',
      `cannot create a crontab line for ${queueWord}: a path contains a newline; rename the path, or use a symbolic link`,
    );
  }
  const bytes = Buffer.byteLength(marked);
  if (bytes > MAX_COMMAND_BYTES) {
    throw new RqError(
      'INVALID_INPUT',
      `cannot create a crontab line for ${queueWord}: the command is ${bytes} bytes long, but cron allows only ${MAX_COMMAND_BYTES}; ` +
        'use a shorter path, such as a symbolic link',
    );
  }
  return `${when} ${marked}`;
}

/**
 * Replaces the lines that carry the queue's mark, or appends the new lines if there are none. All other bytes are kept;
 * only a missing final newline is added before appended lines.
 */
export function replaceLines(crontab: Uint8Array, isOwn: IsOwn, lines: readonly string[]): Buffer {
  const present = splitLines(crontab);
  const first = present.findIndex((line) => isOwnLine(line, isOwn));
  const at = first === -1 ? present.length : first;
  const before = present.slice(0, at).join('');
  const after = present.slice(at).filter((line) => !isOwnLine(line, isOwn));
  const joint = lines.length > 0 && before !== '' && !before.endsWith('\n') ? '\n' : '';
  const inserted = Buffer.from(lines.map((line) => `${line}\n`).join('')).toString('latin1');
  return Buffer.from(before + joint + inserted + after.join(''), 'latin1');
}

/** Returns the lines that carry the queue's mark, without newlines. */
export function ownLines(crontab: Uint8Array, isOwn: IsOwn): string[] {
  const own = splitLines(crontab).filter((line) => isOwnLine(line, isOwn));
  return own.map((line) => Buffer.from(line.trimEnd(), 'latin1').toString());
}

/**
 * Escapes %, which cron turns into a newline unless a backslash precedes it. Some crons remove the backslash and others
 * keep it. Outside of quotes the shell removes it, so the result is the same.
 */
function escapePercent(shell: string): string {
  return shell.replaceAll('%', `'\\%'`);
}

/** Splits into lines with their newlines, one character per byte: a crontab may mix encodings. */
function splitLines(crontab: Uint8Array): string[] {
  return (
    Buffer.from(crontab)
      .toString('latin1')
      .match(/[^\n]*\n|[^\n]+$/g) ?? []
  );
}

function isOwnLine(line: string, isOwn: IsOwn): boolean {
  const word = MARKED.exec(line)?.[1];
  return word !== undefined && isOwn(Buffer.from(word, 'latin1').toString());
}
