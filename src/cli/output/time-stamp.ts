/** A time as it stands in file names: `20261121T083600.123Z`, of the basic format of ISO 8601. */
export function timeStamp(time: string): string {
  return time.replaceAll(/[-:]/g, '');
}
