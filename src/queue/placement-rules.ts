import type { PlacementRules } from '../store/claim/limits.ts';
import type { Connection } from '../store/connection.ts';
import { settingsIn } from './settings.ts';

/** The settings of a queue that decide which job goes first. */
export function placementRules(connection: Connection): PlacementRules {
  const { max_per_user, fair, reserve_after } = settingsIn(connection);
  return { maxPerUser: max_per_user, isFair: fair, reserveAfterS: reserve_after };
}
