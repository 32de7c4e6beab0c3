import { readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import type { ResourceLimits } from '../../runner/protocol/fields.ts';

/** The names of /proc/PID/limits (proc(5)), and those of the runner protocol. */
const RESOURCES = new Map([
  ['Max address space', 'as'],
  ['Max core file size', 'core'],
  ['Max cpu time', 'cpu'],
  ['Max data size', 'data'],
  ['Max file size', 'fsize'],
  ['Max locked memory', 'memlock'],
  ['Max msgqueue size', 'msgqueue'],
  ['Max nice priority', 'nice'],
  ['Max open files', 'nofile'],
  ['Max processes', 'nproc'],
  ['Max resident set', 'rss'],
  ['Max realtime priority', 'rtprio'],
  ['Max realtime timeout', 'rttime'],
  ['Max pending signals', 'sigpending'],
  ['Max stack size', 'stack'],
]);

/** Parses the soft limits in the text of /proc/PID/limits. */
export function parseSoftLimits(text: string): ResourceLimits {
  const limits: Record<string, number | 'unlimited'> = {};
  for (const line of text.split('\n')) {
    const [, name = '', soft = ''] = /^(.*?) {2,}(\S+)/.exec(line) ?? [];
    const resource = RESOURCES.get(name);
    if (resource !== undefined) limits[resource] = soft === 'unlimited' ? soft : Number(soft);
  }
  return limits;
}

/** The text of /proc/PID/limits of the process that started this one; empty if it has ended. */
export function limitsOfParent(): string {
  try {
    return readFileSync(`/proc/${process.ppid}/limits`, 'latin1');
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return '';
  }
}
