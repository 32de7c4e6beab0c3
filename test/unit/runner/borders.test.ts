import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RqError } from '../../../src/job/errors.ts';
import { parseFields } from '../../../src/runner/protocol/fields.ts';
import { RequestError } from '../../../src/runner/protocol/protocol.ts';
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

/** Lines that look like messages, with any JSON as the value of any field. */
const line = fc
  .tuple(fc.constantFrom(...TYPES), fc.dictionary(fc.constantFrom(...NAMES), fc.jsonValue()))
  .map(([type, fields]) => JSON.stringify({ type, ...fields }));

function isThrown(action: () => unknown, kind: new (...words: never[]) => Error): boolean {
  try {
    action();
    return true;
  } catch (error) {
    return error instanceof kind;
  }
}

test('Whatever a client says is a request or a refusal', () => {
  fc.assert(fc.property(line, (text) => isThrown(() => parseRequest(parseFields(text) ?? {}, 1), RequestError)));
});

test('Whatever a runner says is a message or an RqError', () => {
  fc.assert(
    fc.property(fc.oneof(line, fc.string(), fc.json()), (text) => isThrown(() => parseServerMessage(text), RqError)),
  );
});

test('A message of a later version is not an error', () => {
  expect(parseServerMessage('{"type":"weather","sun":true}')).toEqual({ type: 'unknown' });
});

test('A name in an environment may be anything that a shell exports, and nothing from the prototype', () => {
  const env = '{"__proto__":"x","BASH_FUNC_module%%":"() { :; }"}';
  const request = parseRequest(parseFields(`{"type":"environment","env":${env}}`) ?? {}, 1);
  expect(JSON.stringify(request)).toContain('"__proto__":"x"');
  expect(() => parseRequest({ type: 'environment', env: { '': 'x' } }, 1)).toThrow('names are not empty');
});
