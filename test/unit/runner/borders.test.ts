import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RqError } from '../../../src/job/errors.ts';
import { parseFields } from '../../../src/runner/protocol/fields.ts';
import { RequestError } from '../../../src/runner/protocol/messages.ts';
import { parseServerMessage } from '../../../src/runner/protocol/replies.ts';
import { parseRequest } from '../../../src/runner/protocol/requests.ts';

const TYPES = ['hello', 'exit', 'bye', 'spawn', 'signal', 'pause', 'resume', 'list', 'ack', 'environment', 'shutdown'];
const NAMES = [
  'weight',
  'devices',
  'resources',
  'id',
  'jid',
  'attempt',
  'command',
  'cwd',
  'env',
  'stdin',
  'signal',
  'grace_ms',
  'time_limit_ms',
  'memory_bytes',
  'warn',
  'after',
  'attempts',
  'error',
];

/** Messages with any JSON value in any field. */
const line = fc
  .tuple(fc.constantFrom(...TYPES), fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue()))
  .map(([type, fields]) => JSON.stringify({ type, ...fields }));

function throwsOnly(action: () => unknown, kind: new (...parameters: never[]) => Error): boolean {
  try {
    action();
    return true;
  } catch (error) {
    return error instanceof kind;
  }
}

test('every line of a client is parsed as a request or refused with a RequestError', () => {
  fc.assert(fc.property(line, (text) => throwsOnly(() => parseRequest(parseFields(text) ?? {}, 1), RequestError)));
});

test('every line of a runner is parsed as a message or refused with an RqError', () => {
  fc.assert(
    fc.property(fc.oneof(line, fc.string(), fc.json()), (text) => throwsOnly(() => parseServerMessage(text), RqError)),
  );
});

test.each([
  [{ time_limit_ms: 0 }, 'time_limit_ms must be an integer from 1 to 31622400000'],
  [{ time_limit_ms: 1.5 }, 'time_limit_ms must be an integer'],
  [{ time_limit_ms: '2h' }, 'time_limit_ms must be an integer'],
  [{ time_limit_ms: 1e300 }, 'time_limit_ms must be an integer'],
  [{ memory_bytes: -1 }, 'memory_bytes must be an integer from 1'],
  [{ grace_ms: 1e9 }, 'grace_ms must be an integer from 0 to 86400000'],
  [{ warn: 'USR2@60s' }, 'warn must be an object or null'],
  [{ warn: { signal: 'SIGUSR2', before_ms: 5 } }, 'time_limit_ms must be an integer'],
  [{ time_limit_ms: 1000, warn: { signal: 'SIGUSR2', before_ms: 1000 } }, 'before_ms must be an integer from 1 to 999'],
  [{ time_limit_ms: 1000, warn: { signal: 'USR2', before_ms: 5 } }, 'signal must be the name of a signal'],
  [{ time_limit_ms: 1000, warn: { before_ms: 5 } }, 'signal must be a string'],
])('the limits %j of a spawn request are refused', (limits, message) => {
  const job = { type: 'spawn', jid: 1, claim: 1, command: 'true', cwd: '/', env: {} };
  expect(() => parseRequest({ ...job, ...limits }, 1)).toThrow(message);
});

test('a message of an unknown type is not an error', () => {
  expect(parseServerMessage('{"type":"weather","sun":true}')).toEqual({ type: 'unknown' });
});

test('the name of an environment variable can be any name that a shell exports, including __proto__', () => {
  const env = '{"__proto__":"x","BASH_FUNC_module%%":"() { :; }"}';
  const request = parseRequest(parseFields(`{"type":"environment","env":${env}}`) ?? {}, 1);
  expect(JSON.stringify(request)).toContain('"__proto__":"x"');
  expect(() => parseRequest({ type: 'environment', env: { '': 'x' } }, 1)).toThrow('names are not empty');
});
