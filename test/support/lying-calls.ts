import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './program.ts';

const SOURCE = join(ROOT, 'test/fixtures/lying-calls.c');

/** Why there can be no lies on this machine; undefined if there can. */
export const whyNoLies = spawnSync('cc', ['--version']).status === 0 ? undefined : 'there is no C compiler';

/** Compiles test/fixtures/lying-calls.c into a directory; gives the environment in which calls lie about something. */
export function lyingCalls(directory: string): (about: string) => NodeJS.ProcessEnv {
  const library = join(directory, 'lying-calls.so');
  const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, SOURCE, '-ldl'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot compile ${SOURCE}: ${stderr}`);
  return (about) => ({ LD_PRELOAD: library, LIE: about });
}
