import { readAttributes } from '../store/attributes.ts';
import type { PlacementRules } from '../store/claim/limits.ts';
import type { Connection } from '../store/connection.ts';

const RESERVE_AFTER_S = 600;

/** The settings of a queue that decide which job goes first. A value that is not valid counts as the default. */
export function placementRules(connection: Connection): PlacementRules {
  const attributes = readAttributes(connection);
  const number = (name: string): number => Number(attributes.get(name) ?? Number.NaN);
  const max = number('max_per_user');
  const reserveAfter = number('reserve_after');
  return {
    maxPerUser: Number.isSafeInteger(max) && max > 0 ? max : null,
    isFair: attributes.get('fair') === 'true',
    reserveAfterS: reserveAfter >= 0 ? reserveAfter : RESERVE_AFTER_S,
  };
}
