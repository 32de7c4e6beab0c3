/** Whether the lengthy variants are wanted: RQ_CLUSTER=full. */
export const isFull = process.env['RQ_CLUSTER'] === 'full';

/** How often a scenario is played: RQ_CLUSTER_ROUNDS, or 10 in full, or a few. */
export function rounds(few: number): number {
  const asked = Number(process.env['RQ_CLUSTER_ROUNDS']);
  if (asked > 0) return asked;
  return isFull ? 10 : few;
}
