import { afterEach, beforeEach, describe } from 'vitest';
import { clusterSkipReason } from './lab.ts';
import { addResult } from './summary.ts';

export { reportFacts } from './summary.ts';

/** RQ_CLUSTER=full also runs the long variants. */
export const isFull = process.env['RQ_CLUSTER'] === 'full';

const LONG = 'long; npm run test:cluster runs it';

/** The number of rounds of a scenario: RQ_CLUSTER_ROUNDS, or 10 in a full run, or the given number. */
export function rounds(few: number): number {
  const asked = Number(process.env['RQ_CLUSTER_ROUNDS']);
  if (asked > 0) return asked;
  return isFull ? 10 : few;
}

/** A suite that needs a lab. It is skipped, with the reason in its title, where there can be no lab. */
export function describeCluster(title: string, body: () => void): void {
  describeUnless(clusterSkipReason(), title, body);
}

/** A suite that only `npm run test:cluster` runs. */
export function describeInFull(title: string, body: () => void): void {
  describeUnless(isFull ? clusterSkipReason() : LONG, title, body);
}

/** The title of a test that only `npm run test:cluster` runs. */
export function inFull(title: string): string {
  return isFull ? title : `${title} (skipped: ${LONG})`;
}

function describeUnless(reason: string | undefined, title: string, body: () => void): void {
  describe.skipIf(reason !== undefined)(reason === undefined ? title : `${title} (skipped: ${reason})`, () => {
    let startMs = 0;
    beforeEach(() => {
      startMs = performance.now();
    });
    afterEach(({ task }) => {
      const seconds = (performance.now() - startMs) / 1000;
      addResult(`${title}: ${task.name}`, task.result?.state !== 'fail', seconds);
    });
    body();
  });
}

/** Prints figures into the output of the tests. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
