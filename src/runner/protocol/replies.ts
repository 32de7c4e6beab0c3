import { RqError } from '../../job/errors.ts';
import { FieldReader, type Fields, parseFields } from './fields.ts';
import { parseHolding } from './holdings.ts';
import type {
  Exit,
  Limit,
  ListedAttempt,
  ListedHolding,
  NotStarted,
  ServerMessage,
  SlotsReply,
  Spawned,
} from './messages.ts';

/** Parses a line that the runner sent. Throws RUNNER with facts.code PROTOCOL for an invalid message. */
export function parseServerMessage(line: string): ServerMessage {
  const fields = parseFields(line);
  if (fields === undefined) return refuse('a line is not a JSON object');
  const reader = readerOf(fields);
  if ('id' in fields) return parseReply(reader);
  const type = reader.text('type');
  switch (type) {
    case 'hello':
      return {
        type,
        protocol: reader.integer('protocol', 1),
        version: reader.text('version'),
        pid: reader.integer('pid', 1),
        journal: reader.text('journal'),
        boot: reader.text('boot'),
      };
    case 'exit':
      return { type, exit: parseExit(reader) };
    case 'bye':
      return { type, code: reader.text('code'), message: reader.text('message') };
    default:
      // A later version of rq may add messages without a change of the protocol version.
      return { type: 'unknown' };
  }
}

function parseReply(reader: FieldReader): ServerMessage {
  const id = reader.integer('id', 0);
  const error = reader.optionalObject('error');
  if (error === null) return { type: 'reply', id, body: reader.fields };
  return { type: 'failure', id, code: error.text('code'), message: error.text('message') };
}

export function parseSpawnReply(body: Fields): Spawned {
  const reader = readerOf(body);
  return { pid: reader.optionalInteger('pid', 1), started: reader.text('started') };
}

export function parseSlotsReply(body: Fields): SlotsReply {
  const reader = readerOf(body);
  return { ahead: reader.integer('ahead', 0), keepsDevices: reader.optionalFlag('keeps_devices') };
}

export function parseListReply(body: Fields): { attempts: ListedAttempt[]; more: boolean } {
  const attempts = readerOf(body).list('attempts').map(parseAttempt);
  return { attempts, more: body['more'] === true };
}

function parseAttempt(reader: FieldReader): ListedAttempt {
  const state = reader.text('state');
  switch (state) {
    case 'running':
      return {
        state,
        ...reader.key(),
        pid: reader.integer('pid', 1),
        started: reader.text('started'),
        isPaused: reader.optionalFlag('paused'),
        held: parseHeld(reader),
      };
    case 'exited':
      return { state, ...reader.key(), exit: parseExit(reader), held: parseHeld(reader) };
    default:
      return refuse(`the state of an attempt is ${JSON.stringify(state)}`);
  }
}

function parseHeld(reader: FieldReader): ListedHolding {
  const weight = reader.optionalInteger('weight', 1) ?? undefined;
  return { weight, memoryBytes: reader.optionalInteger('memory_bytes', 1), ...parseHolding(reader) };
}

function parseNotStarted(reader: FieldReader): NotStarted | null {
  const value = reader.optionalText('not_started');
  return value === 'failed' || value === 'shortage' ? value : null;
}

export function parseLimit(value: string | null): Limit | null {
  return value === 'time' || value === 'memory' ? value : null;
}

/** Parses the fields of an exit in events, lists and the journal. */
export function parseExit(reader: FieldReader): Exit {
  return {
    ...reader.key(),
    pid: reader.optionalInteger('pid', 1),
    started: reader.text('started'),
    finished: reader.text('finished'),
    elapsed: reader.optionalNumber('elapsed'),
    exit_status: reader.optionalInteger('exit_status', 0, 255),
    signal: reader.optionalText('signal'),
    reason: reader.optionalText('reason'),
    limit: parseLimit(reader.optionalText('limit')),
    isLost: reader.flag('is_lost'),
    not_started: parseNotStarted(reader),
    max_rss: reader.optionalNumber('max_rss'),
    cpu_time: reader.optionalNumber('cpu_time'),
    left_behind: reader.optionalInteger('left_behind', 0),
  };
}

function readerOf(fields: Fields): FieldReader {
  return new FieldReader(fields, refuse);
}

function refuse(message: string): never {
  throw new RqError(
    'RUNNER',
    `invalid message from the runner: ${message}; run the same version of rq in all processes of this host`,
    {
      facts: { code: 'PROTOCOL' },
    },
  );
}
