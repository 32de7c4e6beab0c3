/**
 * Reads a document of `key: value` lines as `documentText` writes it for a flat map. Values are text without quotes. Other
 * lines are ignored, so that a damaged file is read in part.
 */
export function readFlatDocument(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const match = /^([a-z_]+): (.*)$/.exec(line);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], unquote(match[2])]];
  });
  return Object.fromEntries(pairs);
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}
