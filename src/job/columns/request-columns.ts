import { MAX_BACKOFF_BYTES, MAX_NOTE_BYTES, MAX_RETRIES, MAX_RETRY_ON_BYTES, MAX_TAG_BYTES } from '../limits.ts';
import type { Column } from './column.ts';

/** How a job is retried and described, in the order in which it is printed. */
export const REQUEST_COLUMNS = {
  retries: {
    kind: 'integer',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 3,
    sql: `CHECK (retries BETWEEN 0 AND ${MAX_RETRIES})`,
    range: [0, MAX_RETRIES],
    comment: 'number of further attempts after failures',
  },
  backoff: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 3,
    form: 'backoff',
    maxBytes: MAX_BACKOFF_BYTES,
    option: {
      name: 'backoff',
      value: 'MIN[..MAX]',
      help: 'Wait this long before the first retry, and twice as long before each further one, up to MAX (default 30s..1h).',
    },
    comment: 'the pause before a retry, such as 30s..1h',
  },
  retry_on: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 3,
    form: 'failures',
    maxBytes: MAX_RETRY_ON_BYTES,
    option: {
      name: 'retry-on',
      value: 'FAILURE,…',
      help: 'Retry only after these failures: exit statuses and ranges (3,64-78), signals (SIGKILL), time, memory.',
    },
    comment: 'the failures after which the job is retried; null is every failure',
  },
  tag: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 1,
    form: 'line',
    maxBytes: MAX_TAG_BYTES,
    option: {
      name: 'tag',
      short: 't',
      value: 'TEXT',
      help: `Tag for selecting the job, at most ${MAX_TAG_BYTES} bytes.`,
    },
  },
  note: {
    kind: 'text',
    states: 'any',
    isRequired: false,
    setBy: 'submitter',
    since: 3,
    form: 'text',
    maxBytes: MAX_NOTE_BYTES,
    option: { name: 'note', value: 'TEXT', help: 'Free-text comment on the job, which rq does not interpret.' },
  },
} as const satisfies Record<string, Column>;
