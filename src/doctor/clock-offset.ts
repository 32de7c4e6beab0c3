import { type Finding, note } from './finding.ts';

/** More than this is odd to see in listings, in milliseconds. */
const ODD_MS = 5_000;

/** What it means that a host's clock is ahead of the file server's by so much; `whose` begins a sentence. */
export function judgeOffset(offsetMs: number, whose: string): Finding[] {
  if (Math.abs(offsetMs) <= ODD_MS) return [];
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1);
  return [
    note(
      `${whose} is ${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the file server's`,
      'rq compares no clocks of two hosts, but times in listings will look odd, and make does the wrong things',
      'have the clocks set by NTP or chrony',
    ),
  ];
}
