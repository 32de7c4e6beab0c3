import { expect, test } from 'vitest';
import { readVariables } from '../../../src/cli/input/job-variables.ts';

const SHELL = {
  ...{ SEED: '7', LIST: 'a,b', PATH: '/usr/bin', LD_LIBRARY_PATH: '/opt/lib', EMPTY: '' },
  ...{ HOME: '/h', USER: 'ann', PWD: '/h/x', SHLVL: '2', _: '/usr/bin/env', TERM: 'xterm', TMPDIR: '/tmp/1' },
  ...{ RQ_Q: 'q', RQ_LAUNCHER_LIMITS: 'x', SSH_CLIENT: '1', SSH_AUTH_SOCK: '/s', DISPLAY: ':0', XDG_SESSION_ID: '3' },
  ...{ SLURM_JOB_ID: '5', SLURMD_NODENAME: 'n', PMI_RANK: '0', BASH_ENV: '/b', 'BASH_FUNC_f%%': '() { :; }' },
};

test.each([
  [[], undefined],
  [['SEED'], { SEED: '7' }],
  [['SEED,LIST'], { SEED: '7', LIST: 'a,b' }],
  [['A=1,SEED,B='], { A: '1', SEED: '7', B: '' }],
  [['A=1', 'B=x=y'], { A: '1', B: 'x=y' }],
  [['A=1\\,2\\,3,B=c:\\x'], { A: '1,2,3', B: 'c:\\x' }],
  [['A=\\\\,x'], { A: '\\,x' }],
  [['SEED,SEED=9'], { SEED: '9' }],
  [['all'], { EMPTY: '', LD_LIBRARY_PATH: '/opt/lib', LIST: 'a,b', PATH: '/usr/bin', SEED: '7' }],
  [
    ['all,SEED=8,HOME'],
    { EMPTY: '', LD_LIBRARY_PATH: '/opt/lib', LIST: 'a,b', PATH: '/usr/bin', SEED: '8', HOME: '/h' },
  ],
])('--env %j gives %j', (lists, variables) => {
  expect(readVariables(lists, SHELL, 'cannot submit')).toEqual(variables);
});

test.each([
  [['NONE'], 'cannot submit with --env: the variable NONE is not set; export NONE, or give --env NONE=VALUE'],
  [
    ['A=1,2'],
    'the name "2" must consist of letters, digits and "_", and must not begin with a digit; in a value, write "\\," for a comma',
  ],
  [['RQ_TAG=x'], 'the name "RQ_TAG" is set by rq'],
  [['PWD'], 'the name "PWD" is the working directory of the job'],
  [['A,'], 'the variable A is not set'],
  [['SEED,'], 'the name "" must consist of'],
  [['=x'], 'the name "" must consist of'],
])('--env %j is refused: %s', (lists, message) => {
  expect(() => readVariables(lists, SHELL, 'cannot submit')).toThrow(message);
});
