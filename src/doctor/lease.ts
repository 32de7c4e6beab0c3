import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { errorCode } from '../job/errors.ts';
import { readGenerations, signOfLife } from '../lease/generations.ts';
import { STALE_MS } from '../lease/lease-client.ts';
import { LocalHolder } from '../lease/local-holder.ts';
import { type Finding, list, note, problem, shortList } from './finding.ts';

const POLL_MS = 250;
/** A live holder refreshes the lease three times in the stale time. */
const WATCH_MS = STALE_MS / 3 + 2_000;

/**
 * Finds names of the lease that cannot be removed, and a dead holder. A holder whose last refresh seems old by the clock
 * of the server (`serverNowMs`) is watched for a while, because it may have set the time by its own clock.
 */
export async function checkLease(
  directory: string,
  { clock, serverNowMs, say }: { clock: Clock; serverNowMs: number; say: (line: string) => void },
): Promise<Finding[]> {
  const { names, highest, isFree } = readGenerations(directory);
  const strays = checkNames(directory, names);
  if (isFree) return strays;
  const name = `lease.${highest}`;
  const effect = 'the next writer breaks the lease';
  const holder = new LocalHolder(directory).of(highest);
  if (holder?.isAlive === false) {
    const found = `the dead process ${holder.pid} on this host holds ${name}`;
    return [...strays, note(found, `${effect} immediately`, 'no action is needed')];
  }
  const createdMs = statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? serverNowMs;
  if (holder !== undefined || serverNowMs - createdMs < STALE_MS) return strays;
  say(`${name} seems to be stale; watching it for ${WATCH_MS / 1000} s`);
  if (await changes(directory, highest, clock)) return strays;
  const found = `${name} has been held since ${new Date(createdMs).toISOString()} and the holder does not refresh it`;
  return [...strays, note(found, `${effect} after ${STALE_MS / 1000} s`, 'no action is needed')];
}

async function changes(directory: string, generation: number, clock: Clock): Promise<boolean> {
  const untilMs = clock.monotonicMs() + WATCH_MS;
  const before = signOfLife(directory, generation);
  while (clock.monotonicMs() < untilMs) {
    const { highest, isFree } = readGenerations(directory);
    if (isFree || highest !== generation || signOfLife(directory, generation) !== before) return true;
    await clock.sleep(POLL_MS);
  }
  return false;
}

/** The holder of the lease removes earlier names, which are empty directories. Anything else makes this fail. */
function checkNames(directory: string, names: readonly string[]): Finding[] {
  const own = names.filter((name) => name.startsWith('lease.'));
  const unknownNames = own.filter((name) => !/^lease\.\d{1,15}(\.free)?$/.test(name));
  const stuck = own.filter((name) => !unknownNames.includes(name) && !isEmptyDirectory(join(directory, name)));
  return list(
    stuck.length > 0 &&
      problem(
        `${shortList(stuck)}: not an empty directory`,
        'the holder of the lease cannot remove this name, and every change to the queue fails',
        `run: rm -r ${stuck.map((name) => join(directory, name)).join(' ')}`,
      ),
    unknownNames.length > 0 &&
      note(
        `${shortList(unknownNames)}: not a name that rq uses`,
        'rq ignores it',
        'find out which program created this name, and remove it',
      ),
  );
}

function isEmptyDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory() && readdirSync(path).length === 0;
  } catch (error) {
    // It was removed meanwhile, or is private to another user.
    if (!['ENOENT', 'EACCES'].includes(errorCode(error) ?? '')) throw error;
    return true;
  }
}
