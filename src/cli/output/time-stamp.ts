/** Formats a time for file names: `20261121T083600.123Z`, the basic format of ISO 8601. */
export function timeStamp(time: string): string {
  return time.replaceAll(/[-:]/g, '');
}
