import { type Finding, list, note } from './finding.ts';

/** Smaller offsets are not reported, in milliseconds. */
const REPORTED_MS = 5_000;

/** Compares a clock with the clock of the file server. `whose` names the clock at the start of a sentence. */
export function offsetFindings(offsetMs: number, whose: string): Finding[] {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1);
  return list(
    Math.abs(offsetMs) > REPORTED_MS &&
      note(
        `${whose} is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the file server's`,
        'rq does not compare the clocks of different hosts, but printed times look wrong, and make may not rebuild files',
        'synchronise the clocks with NTP or chrony',
      ),
  );
}
