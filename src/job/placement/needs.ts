import { type Fault, shownValue } from '../value-faults.ts';

const ITEM = /^([A-Za-z][A-Za-z0-9._-]{0,63})=([1-9]\d{0,8})$/;

/** Numbers of a resource by its name, such as `licence` → 2. */
export type Resources = Readonly<Record<string, number>>;

/** The fault of a comma-separated list of resources, such as `licence=2,port=1`. */
export function needsFault(text: string): Fault {
  const items = text.split(',');
  const wrong = items.find((item) => !ITEM.test(item));
  if (wrong !== undefined) {
    return `must be names and numbers of resources, separated by commas, such as licence=2,port=1, not ${shownValue(wrong)}`;
  }
  const names = items.map((item) => item.split('=')[0]);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? undefined : `must name each resource once, and names ${twice} twice`;
}

/** Resources as a list, such as `licence=2,port=1`; undefined for none. */
export function resourcesText(resources: Resources): string | undefined {
  const items = Object.entries(resources).map(([name, count]) => `${name}=${count}`);
  return items.length === 0 ? undefined : items.join(',');
}

/** The resources of a valid list, in the order of their names. Null is none. Leaves out items that are not valid. */
export function parseNeeds(text: string | null): Resources {
  const items = text === null ? [] : text.split(',').flatMap((item) => ITEM.exec(item) ?? []);
  const pairs: [string, number][] = [];
  for (let index = 0; index < items.length; index += 3) pairs.push([items[index + 1] ?? '', Number(items[index + 2])]);
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
