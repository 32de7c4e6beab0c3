/** Formats seconds as `00h00m12.34s`. */
export function duration(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const hours = Math.floor(hundredths / 360_000);
  const minutes = Math.floor((hundredths % 360_000) / 6_000);
  const rest = ((hundredths % 6_000) / 100).toFixed(2);
  return `${String(hours).padStart(2, '0')}h${String(minutes).padStart(2, '0')}m${rest.padStart(5, '0')}s`;
}
