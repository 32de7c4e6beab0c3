import { FieldReader, type Fields } from './fields.ts';
import { parseHolding } from './holdings.ts';
import { parseLimits } from './limits.ts';
import { type JobSettings, MAX_GRACE_MS, MAX_SLOTS, MAX_WEIGHT, type Request, RequestError } from './messages.ts';

/** Parses a request that a client sent. Throws RequestError INVALID or UNKNOWN_REQUEST. */
export function parseRequest(fields: Fields, id: number): Request {
  const reader = new FieldReader(fields, (message) => {
    throw new RequestError('INVALID', message);
  });
  const type = reader.text('type');
  switch (type) {
    case 'spawn':
      return {
        id,
        type,
        ...reader.key(),
        command: reader.text('command'),
        cwd: reader.path('cwd'),
        env: reader.environment('env'),
        stdin: reader.optionalPath('stdin'),
        stdout: reader.optionalPath('stdout'),
        stderr: reader.optionalPath('stderr'),
        weight: reader.optionalInteger('weight', 1, MAX_WEIGHT) ?? 1,
        revalidate: reader.optionalFlag('revalidate'),
        limits: parseLimits(reader),
        holding: parseHolding(reader),
      };
    case 'signal': {
      const graceMs = reader.optionalInteger('grace_ms', 0, MAX_GRACE_MS);
      const order = reader.optionalInteger('order', 1);
      const optional = { ...(graceMs === null ? {} : { graceMs }), ...(order === null ? {} : { order }) };
      return { id, type, ...reader.key(), signal: reader.signal('signal'), ...optional };
    }
    case 'pause':
    case 'resume':
      return { id, type, ...reader.key() };
    case 'environment':
      return { id, type, env: reader.environment('env'), ...jobSettings(reader) };
    case 'slots':
      return { id, type, slots: reader.integer('slots', 1, MAX_SLOTS) };
    case 'list':
      return { id, type, after: reader.optionalObject('after')?.key() ?? null };
    case 'ack':
    case 'cancel':
      return { id, type, attempts: reader.list('attempts').map((entry) => entry.key()) };
    case 'shutdown':
      return { id, type };
    default:
      throw new RequestError('UNKNOWN_REQUEST', `unknown request ${JSON.stringify(type.slice(0, 40))}`);
  }
}

function jobSettings(reader: FieldReader): JobSettings {
  const umask = reader.optionalUmask('umask');
  return { ...(umask === null ? {} : { umask }), limits: reader.optionalLimits('limits') };
}

/** Undefined if the request has no valid id, so that no reply is possible. */
export function requestId(fields: Fields): number | undefined {
  const id = fields['id'];
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : undefined;
}
