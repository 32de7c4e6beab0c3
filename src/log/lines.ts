import { jsonText, printableLine } from '../job/printable.ts';

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const WARN = 40;

/** A line of the log, which is JSON, for people. */
export function lineForPeople(line: string): string {
  const { time, level, msg, ...facts } = JSON.parse(line) as Record<string, unknown>;
  const words = Object.entries(facts).map(([key, value]) => `${key}=${jsonText(value)}`);
  const name = LEVELS[Number(level)] ?? '';
  const text = `${String(time)} ${name.padEnd(5)} ${String(msg)} ${words.join(' ')}`;
  return `${printableLine(text.trimEnd())}\n`;
}

/** A warning as the log has it, for a thread that has no logger. */
export function warningLine(message: string): string {
  return `${JSON.stringify({ level: WARN, time: new Date().toISOString(), msg: message })}\n`;
}
