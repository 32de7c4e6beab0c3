import { afterEach, beforeEach, describe } from 'vitest';
import { clusterSkipReason } from './lab.ts';
import { addResult } from './summary.ts';

export { reportFacts } from './summary.ts';

/** Whether the lengthy variants are wanted: RQ_CLUSTER=full. */
export const isFull = process.env['RQ_CLUSTER'] === 'full';

const LENGTHY = 'it takes long; npm run test:cluster runs it';

/** How often a scenario is played: RQ_CLUSTER_ROUNDS, or 10 in full, or a few. */
export function rounds(few: number): number {
  const asked = Number(process.env['RQ_CLUSTER_ROUNDS']);
  if (asked > 0) return asked;
  return isFull ? 10 : few;
}

/** A suite that needs a lab; skipped, with the reason in its title, where none can be had. */
export function describeCluster(title: string, body: () => void): void {
  describeUnless(clusterSkipReason(), title, body);
}

/** One that is left to `npm run test:cluster`. */
export function describeInFull(title: string, body: () => void): void {
  describeUnless(isFull ? clusterSkipReason() : LENGTHY, title, body);
}

/** The title of a test that is left to it, of a suite that is not. */
export function inFull(title: string): string {
  return isFull ? title : `${title} (skipped: ${LENGTHY})`;
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

/** Tells figures to whoever reads the test's output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
