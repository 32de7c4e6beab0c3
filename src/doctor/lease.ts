import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../job/clock.ts';
import { errorCode } from '../job/errors.ts';
import { readGenerations, signOfLife } from '../lease/generations.ts';
import { STALE_MS } from '../lease/lease-client.ts';
import { LocalHolder } from '../lease/local-holder.ts';
import { type Finding, note, phrase, problem } from './finding.ts';

const POLL_MS = 250;
/** A holder gives a sign of life three times in the stale time. */
const WATCH_MS = STALE_MS / 3 + 2_000;

/**
 * Looks for names of the lease that nobody can take away, and for a holder that is dead: one whose last sign of life
 * seems old, by the server's clock (`serverNowMs`), is watched for a while, since it may have set that by its own.
 */
export async function checkLease(
  directory: string,
  { clock, serverNowMs, say }: { clock: Clock; serverNowMs: number; say: (line: string) => void },
): Promise<Finding[]> {
  const { names, highest, isFree } = readGenerations(directory);
  const strays = checkNames(directory, names);
  if (isFree) return strays;
  const name = `lease.${highest}`;
  const taken = 'the next who writes takes it over';
  const holder = new LocalHolder(directory).of(highest);
  if (holder?.isAlive === false) {
    const found = `${name} is held by process ${holder.pid} of this host, which is gone`;
    return [...strays, note(found, `${taken} at once`, 'nothing is to be done')];
  }
  const bornMs = statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? serverNowMs;
  if (holder !== undefined || serverNowMs - bornMs < STALE_MS) return strays;
  say(`${name} seems to be stale; watching it for ${WATCH_MS / 1000} s`);
  if (await moves(directory, highest, clock)) return strays;
  const found = `${name} is held since ${new Date(bornMs).toISOString()}, without a sign of life`;
  return [...strays, note(found, `${taken}, after ${STALE_MS / 1000} s`, 'nothing is to be done')];
}

async function moves(directory: string, generation: number, clock: Clock): Promise<boolean> {
  const untilMs = clock.monotonicMs() + WATCH_MS;
  const before = signOfLife(directory, generation);
  while (clock.monotonicMs() < untilMs) {
    const { highest, isFree } = readGenerations(directory);
    if (isFree || highest !== generation || signOfLife(directory, generation) !== before) return true;
    await clock.sleep(POLL_MS);
  }
  return false;
}

/** Whoever has the lease removes earlier names of it, which are empty directories; what is not makes that fail. */
function checkNames(directory: string, names: readonly string[]): Finding[] {
  const own = names.filter((name) => name.startsWith('lease.'));
  const strange = own.filter((name) => !/^lease\.\d{1,15}(\.free)?$/.test(name));
  const stuck = own.filter((name) => !strange.includes(name) && !isEmptyDirectory(join(directory, name)));
  return [
    ...(stuck.length === 0
      ? []
      : [
          problem(
            `${phrase(stuck)}: not an empty directory`,
            'whoever has the lease cannot take it away, and every change of the queue fails',
            `rm -r ${stuck.map((name) => join(directory, name)).join(' ')}`,
          ),
        ]),
    ...(strange.length === 0
      ? []
      : [note(`${phrase(strange)}: no name of rq's`, 'nobody uses it', 'look what it is, and remove it')]),
  ];
}

function isEmptyDirectory(path: string): boolean {
  try {
    return lstatSync(path).isDirectory() && readdirSync(path).length === 0;
  } catch (error) {
    // Swept meanwhile; or another user's, whom it is private to.
    if (!['ENOENT', 'EACCES'].includes(errorCode(error) ?? '')) throw error;
    return true;
  }
}
