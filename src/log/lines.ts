import { jsonText, printableLine } from '../job/printable.ts';

/** The names of pino's levels. */
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const WARN = 40;

/** Formats a JSON line of the log for a terminal. */
export function terminalLine(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(facts).map(([key, value]) => `${key}=${jsonText(value)}`);
  const name = LEVELS[Number(level)] ?? '';
  const text = `${String(time)} ${name.padEnd(5)} ${String(msg)} ${pairs.join(' ')}`;
  return `${printableLine(text.trimEnd())}\n`;
}

/** Formats a warning as a JSON line of the log, for a thread that has no logger. */
export function warningLine(message: string): string {
  return `${JSON.stringify({ level: WARN, time: new Date().toISOString(), msg: message })}\n`;
}
