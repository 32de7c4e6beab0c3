import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RqError } from '../../../src/job/errors.ts';
import { parseFields } from '../../../src/runner/protocol/fields.ts';
import { RequestError } from '../../../src/runner/protocol/messages.ts';
import { parseServerMessage } from '../../../src/runner/protocol/replies.ts';
import { parseRequest } from '../../../src/runner/protocol/requests.ts';

const TYPES = ['hello', 'exit', 'bye', 'spawn', 'signal', 'list', 'ack', 'environment', 'shutdown'];
const NAMES = [
  'id',
  'jid',
  'attempt',
  'command',
  'cwd',
  'env',
  'stdin',
  'signal',
  'grace_ms',
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

test('a message of an unknown type is not an error', () => {
  expect(parseServerMessage('{"type":"weather","sun":true}')).toEqual({ type: 'unknown' });
});

test('the name of an environment variable can be any name that a shell exports, including __proto__', () => {
  const env = '{"__proto__":"x","BASH_FUNC_module%%":"() { :; }"}';
  const request = parseRequest(parseFields(`{"type":"environment","env":${env}}`) ?? {}, 1);
  expect(JSON.stringify(request)).toContain('"__proto__":"x"');
  expect(() => parseRequest({ type: 'environment', env: { '': 'x' } }, 1)).toThrow('names are not empty');
});
