import { DEFAULT_GRACE_S } from '../job/control/kill.ts';
import { RqError } from '../job/errors.ts';
import { MAX_GRACE_S, MAX_RUNNING, MAX_SLOTS } from '../job/limits.ts';
import { readAttributes, writeAttribute } from '../store/attributes.ts';
import type { Connection } from '../store/connection.ts';
import { raiseControlVersion } from '../store/control/wishes.ts';
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
  /** How many jobs of one owner may run at the same time; null is any number. */
  readonly max_per_user: number | null;
  /** At equal priority, jobs of the owner with the fewest running cpus start first. */
  readonly fair: boolean;
  /** Seconds after which places are kept free for a job that others were started before. */
  readonly reserve_after: number;
}

/** The valid values of a setting: `count` is a whole number, `duration` is a number of seconds. */
export type SettingForm =
  | { readonly kind: 'count' | 'duration'; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean' };

export type SettingValue = Settings[keyof Settings];

const MAX_SLEEP_S = 86_400;
const MAX_LOST_AFTER_S = 366 * 86_400;
const MAX_RETENTION_S = 10 * 366 * 86_400;
const MAX_RESERVE_AFTER_S = 366 * 86_400;

export const SETTING_FORMS: Readonly<Record<keyof Settings, SettingForm>> = {
  max_feed: { kind: 'count', min: 1, max: MAX_SLOTS },
  min_sleep: { kind: 'duration', min: 0.01, max: MAX_SLEEP_S },
  max_sleep: { kind: 'duration', min: 0.01, max: MAX_SLEEP_S },
  lost_after: { kind: 'duration', min: 10, max: MAX_LOST_AFTER_S },
  kill_grace: { kind: 'duration', min: 0, max: MAX_GRACE_S },
  retention: { kind: 'duration', min: 0, max: MAX_RETENTION_S },
  max_per_user: { kind: 'count', min: 1, max: MAX_RUNNING },
  fair: { kind: 'boolean' },
  reserve_after: { kind: 'duration', min: 0, max: MAX_RESERVE_AFTER_S },
};

const DEFAULTS: Settings = {
  max_feed: null,
  min_sleep: 1,
  max_sleep: 5,
  lost_after: 900,
  kill_grace: DEFAULT_GRACE_S,
  retention: 0,
  max_per_user: null,
  fair: false,
  reserve_after: 600,
};

/** The configured settings, and defaults for the others. */
export async function readSettings(queue: Queue): Promise<Settings> {
  return await read(queue, settingsIn);
}

/** Changes settings, null to the default, and returns all. Throws INVALID_INPUT if min_sleep exceeds max_sleep. */
export async function configureQueue(
  queue: Queue,
  changes: ReadonlyMap<keyof Settings, SettingValue>,
): Promise<Settings> {
  return await transaction(queue, ({ connection }) => {
    for (const [name, value] of changes) writeAttribute(connection, name, value === null ? null : String(value));
    // Feeders read the limits of the queue again.
    raiseControlVersion(connection);
    const settings = settingsIn(connection);
    if (settings.min_sleep <= settings.max_sleep) return settings;
    const { min_sleep, max_sleep } = settings;
    throw new RqError(
      'INVALID_INPUT',
      `cannot configure: min_sleep ${min_sleep} is greater than max_sleep ${max_sleep}; raise max_sleep`,
    );
  });
}

/** As `readSettings`, inside a transaction. */
export function settingsIn(connection: Connection): Settings {
  const attributes = readAttributes(connection);
  const entries = Object.entries(DEFAULTS).map(([name, fallback]) => {
    const value = storedValue(SETTING_FORMS[name as keyof Settings], attributes.get(name));
    return [name, value ?? (fallback as SettingValue)];
  });
  return Object.fromEntries(entries) as Settings;
}

/** Whether a number is a valid value of a setting. */
export function isInForm(form: SettingForm, value: number): boolean {
  if (form.kind === 'boolean') return false;
  return value >= form.min && value <= form.max && (form.kind !== 'count' || Number.isInteger(value));
}

/** Values that a user wrote by SQL can be invalid. They are ignored. */
function storedValue(form: SettingForm, text: string | undefined): number | boolean | undefined {
  if (form.kind === 'boolean') return text === undefined ? undefined : text === 'true';
  const value = Number(text ?? Number.NaN);
  return isInForm(form, value) ? value : undefined;
}
