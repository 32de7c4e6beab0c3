import { RqError } from '../job/errors.ts';

/** What cron is to run, and when. */
export interface CronEntry {
  /** The fields of crontab(5) that say when, or @reboot. */
  readonly when: string;
  /** A line of shell in which every % is between single quotes. */
  readonly command: string;
}

/** Tells, by the queue's path as a quoted word, whether a line is about the queue in question. */
export type IsOwn = (queueWord: string) => boolean;

/** Crons of Vixie's line silently cut a command that is longer (MAX_COMMAND in their cron.h, with the final 0). */
const MAX_COMMAND_BYTES = 998;

/**
 * A line that is not a comment and ends with our mark. No path can counterfeit the mark of another: it begins with a
 * slash, and a quoted word holds no quote that a slash follows but its first.
 */
const MARKED = /^(?![ \t]*#).* # rq cron (\/[A-Za-z0-9_/.,:=@+-]*|'\/[^']*'(?:\\['%]'[^']*')*)[ \t\r]*\n?$/;

/** The line of a crontab for an entry, with the mark of its queue; no newline. Throws INVALID_INPUT. */
export function cronLine({ when, command }: CronEntry, queueWord: string): string {
  const marked = `${withoutPercent(command)} # rq cron ${withoutPercent(queueWord)}`;
  if (/[\n\0]/.test(marked)) {
    throw new RqError(
      'INVALID_INPUT',
      `cannot make a crontab line for ${queueWord}: there is a newline in a path; rename it, or use a symbolic link`,
    );
  }
  const bytes = Buffer.byteLength(marked);
  if (bytes > MAX_COMMAND_BYTES) {
    throw new RqError(
      'INVALID_INPUT',
      `cannot make a crontab line for ${queueWord}: its command has ${bytes} bytes, and cron takes ` +
        `${MAX_COMMAND_BYTES}; use a shorter path, such as a symbolic link`,
    );
  }
  return `${when} ${marked}`;
}

/**
 * The crontab with these lines in the place of those that are marked as the queue's own, at the end if there are none.
 * Every other byte stays; only a missing final newline is added before lines that are appended.
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

/** The lines that are marked as the queue's own, without their newlines. */
export function ownLines(crontab: Uint8Array, isOwn: IsOwn): string[] {
  const own = splitLines(crontab).filter((line) => isOwnLine(line, isOwn));
  return own.map((line) => Buffer.from(line.trimEnd(), 'latin1').toString());
}

/**
 * cron takes % for a newline unless a backslash stands before it, which some crons leave there and others take away.
 * Outside of quotes the shell takes it away too, so that both come out right.
 */
function withoutPercent(shell: string): string {
  return shell.replaceAll('%', `'\\%'`);
}

/** Lines with their newlines, one character a byte: a crontab may be in any encoding, or in several. */
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
