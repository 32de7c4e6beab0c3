import { DEFAULT_GRACE_S } from '../job/control/kill.ts';
import { RqError } from '../job/errors.ts';
import { MAX_GRACE_S, MAX_SLOTS } from '../job/limits.ts';
import { readAttributes, writeAttribute } from '../store/attributes.ts';
import type { Connection } from '../store/connection.ts';
import type { Queue } from './open.ts';
import { read } from './transaction/read.ts';
import { transaction } from './transaction/transaction.ts';

/** The settings of a queue; null for a default that each host determines. */
export interface Settings {
  /** The slots of each host; null for the number of its processors. */
  readonly max_feed: number | null;
  /** The minimum and the maximum of seconds between two polls of an idle feeder. */
  readonly min_sleep: number;
  readonly max_sleep: number;
  /** Seconds without a heartbeat after which a host is lost. */
  readonly lost_after: number;
  /** Seconds between SIGTERM and SIGKILL when jobs are ended. */
  readonly kill_grace: number;
  /** Seconds that ended jobs stay in the queue before a rotation moves them. */
  readonly retention: number;
}

interface Range {
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
}

const MAX_SLEEP_S = 86_400;
const MAX_LOST_AFTER_S = 366 * 86_400;
const MAX_RETENTION_S = 10 * 366 * 86_400;

export const SETTING_RANGES: Readonly<Record<keyof Settings, Range>> = {
  max_feed: { min: 1, max: MAX_SLOTS, isWhole: true },
  min_sleep: { min: 0.01, max: MAX_SLEEP_S, isWhole: false },
  max_sleep: { min: 0.01, max: MAX_SLEEP_S, isWhole: false },
  lost_after: { min: 10, max: MAX_LOST_AFTER_S, isWhole: false },
  kill_grace: { min: 0, max: MAX_GRACE_S, isWhole: false },
  retention: { min: 0, max: MAX_RETENTION_S, isWhole: false },
};

const DEFAULTS: Settings = {
  max_feed: null,
  min_sleep: 1,
  max_sleep: 5,
  lost_after: 900,
  kill_grace: DEFAULT_GRACE_S,
  retention: 0,
};

/** The configured settings, and defaults for the others. */
export async function readSettings(queue: Queue): Promise<Settings> {
  return await read(queue, settingsIn);
}

/** Changes settings, null to the default, and returns all. Throws INVALID_INPUT if min_sleep exceeds max_sleep. */
export async function configureQueue(
  queue: Queue,
  changes: ReadonlyMap<keyof Settings, number | null>,
): Promise<Settings> {
  return await transaction(queue, ({ connection }) => {
    for (const [name, value] of changes) writeAttribute(connection, name, value === null ? null : String(value));
    const settings = settingsIn(connection);
    if (settings.min_sleep <= settings.max_sleep) return settings;
    const { min_sleep, max_sleep } = settings;
    throw new RqError(
      'INVALID_INPUT',
      `cannot configure: min_sleep ${min_sleep} is greater than max_sleep ${max_sleep}; raise max_sleep`,
    );
  });
}

/** Values that a user wrote by SQL can be invalid. They are ignored. */
function isIn({ min, max, isWhole }: Range, value: number): boolean {
  return value >= min && value <= max && (!isWhole || Number.isInteger(value));
}

/** As `readSettings`, inside a transaction. */
export function settingsIn(connection: Connection): Settings {
  const attributes = readAttributes(connection);
  const entries = Object.entries(DEFAULTS).map(([name, fallback]) => {
    const value = Number(attributes.get(name) ?? Number.NaN);
    return [name, isIn(SETTING_RANGES[name as keyof Settings], value) ? value : (fallback as number | null)];
  });
  return Object.fromEntries(entries) as Settings;
}
