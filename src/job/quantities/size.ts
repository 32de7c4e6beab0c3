/** Powers of 1024. */
const UNITS = ['', 'K', 'M', 'G', 'T'] as const;

/** The bytes of a size such as `1048576`, `512M` or `4G` (powers of 1024); undefined for other text. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+)([KMGT]?)$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * 1024 ** unitIndex(unit.toUpperCase());
}

/** A size as `parseSize` reads it: `512M`, `4G`, `1536M`. */
export function exactSizeText(bytes: number): string {
  const index = UNITS.findLastIndex((_, power) => bytes % 1024 ** power === 0);
  return bytes === 0 ? '0' : `${bytes / 1024 ** index}${UNITS[index]}`;
}

/** A size for people, with one decimal: `4.3G`. */
export function roundedSizeText(bytes: number): string {
  const index = Math.max(0, Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10)));
  return `${(bytes / 1024 ** index).toFixed(index === 0 ? 0 : 1)}${UNITS[index]}`;
}

function unitIndex(unit: string): number {
  return (UNITS as readonly string[]).indexOf(unit);
}
