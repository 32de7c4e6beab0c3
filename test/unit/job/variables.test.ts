import { expect, test } from 'vitest';
import { variablesFault, variablesFromText } from '../../../src/job/columns/variables.ts';

test.each([
  [{}, undefined],
  [{ A: '', _b1: 'x\ny', LD_PRELOAD: 'lib.so', RQX: '1' }, undefined],
  [new Map([['A', 'x']]), undefined],
  ['A=1', 'must be a map of names and values, not "A=1"'],
  [['A'], 'must be a map of names and values, not ["A"]'],
  [
    { '1A': 'x' },
    'cannot contain "1A": the name must consist of letters, digits and "_", and must not begin with a digit',
  ],
  [{ 'BASH_FUNC_f%%': 'x' }, 'cannot contain "BASH_FUNC_f%%": the name must consist of'],
  [{ '': 'x' }, 'cannot contain "": the name must consist of'],
  [{ ['x'.repeat(256)]: '' }, 'is longer than 255 bytes'],
  [{ RQ_JID: '7' }, 'cannot contain "RQ_JID": the name is set by rq'],
  [{ RQ: '7' }, 'cannot contain "RQ": the name is set by rq'],
  [{ PWD: '/' }, 'cannot contain "PWD": the name is the working directory of the job: set it with --cwd'],
  [{ SEED: 7 }, 'sets SEED to a value that must be text, not 7: put it in quotes'],
  [new Map([['SEED', 7]]), 'sets SEED to a value that must be text, not 7: put it in quotes'],
  [{ A: 'x\0' }, 'sets A to a value that contains a NUL byte'],
  [{ A: 'x'.repeat(100_001) }, 'sets A to a value that is longer than 100000 bytes'],
  [{ A: 'x'.repeat(100_000), B: 'x'.repeat(100_000), C: 'x'.repeat(63_000) }, 'the limit is 262144'],
])('the fault of %j begins with %s', (value, fault) => {
  if (fault === undefined) expect(variablesFault(value)).toBeUndefined();
  else expect(variablesFault(value)).toContain(fault);
});

test.each([
  ['{"A":"x","B":""}', { A: 'x', B: '' }],
  ['{"SEED":7,"FLAG":true,"LIST":[1]}', { SEED: '7', FLAG: 'true', LIST: '[1]' }],
  ['{"RQ_JID":"7","A=B":"x","":"x","A":"x\\u0000","OK":"1"}', { OK: '1' }],
  ['["A"]', null],
  ['null', null],
  ['{"A"', null],
])('variables in a row with the text %s are %j', (text, variables) => {
  expect(variablesFromText(text)).toEqual(variables);
});
