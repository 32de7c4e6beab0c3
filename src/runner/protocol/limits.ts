import { MAX_TIME_LIMIT_S } from '../../job/limits.ts';
import type { FieldReader } from './fields.ts';
import { type AttemptLimits, MAX_GRACE_MS } from './messages.ts';

const MAX_TIME_LIMIT_MS = MAX_TIME_LIMIT_S * 1000;

/** The limits as fields of a spawn request and of the journal. */
export function limitFields({ timeLimitMs, warn, memoryBytes, graceMs }: AttemptLimits = {}): object {
  const warning = warn === undefined ? undefined : { signal: warn.signal, before_ms: warn.beforeMs };
  return { time_limit_ms: timeLimitMs, warn: warning, memory_bytes: memoryBytes, grace_ms: graceMs };
}

/** Parses the limits of a spawn request or of an entry of the journal. A warning requires a longer time limit. */
export function parseLimits(reader: FieldReader): AttemptLimits {
  const warning = reader.optionalObject('warn');
  const timeLimitMs =
    warning === null
      ? reader.optionalInteger('time_limit_ms', 1, MAX_TIME_LIMIT_MS)
      : reader.integer('time_limit_ms', 2, MAX_TIME_LIMIT_MS);
  const memoryBytes = reader.optionalInteger('memory_bytes', 1);
  const graceMs = reader.optionalInteger('grace_ms', 0, MAX_GRACE_MS);
  const limits: { -readonly [Name in keyof AttemptLimits]: AttemptLimits[Name] } = {};
  if (timeLimitMs !== null) limits.timeLimitMs = timeLimitMs;
  if (memoryBytes !== null) limits.memoryBytes = memoryBytes;
  if (graceMs !== null) limits.graceMs = graceMs;
  if (warning !== null) {
    const beforeMs = warning.integer('before_ms', 1, (timeLimitMs ?? 0) - 1);
    limits.warn = { signal: warning.signal('signal'), beforeMs };
  }
  return limits;
}
