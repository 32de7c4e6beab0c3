/** A command line up to the cursor: the words after the name of the program, and the word that is being typed. */
export interface TypedLine {
  /** Without quotes; `~/` and environment variables are expanded. */
  readonly previous: readonly string[];
  /** Without quotes; empty after a blank. */
  readonly current: string;
  /** As it was typed. */
  readonly currentRaw: string;
}

type Quote = '' | "'" | '"';

const RAW_WORD = /(?:[^\s'"\\]|\\[\s\S]?|'[^']*'?|"(?:[^"\\]|\\[\s\S])*"?)+/g;
const PART = /\\([\s\S]?)|'([^']*)'?|"((?:[^"\\]|\\[\s\S])*)"?|([^'"\\]+)/g;
const CLOSED = /\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*"/g;
const VARIABLE = /\\(["\\$`])|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g;
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
/** Characters that bash may interpret outside of quotes. */
const SPECIAL = /[^\w@%+=:,./~^-]/gu;

/** Splits an unfinished line as a shell does. A quote need not be closed. Commands are not substituted. */
export function readTypedLine(line: string, environment: NodeJS.ProcessEnv): TypedLine {
  const raw: string[] = line.match(RAW_WORD) ?? [];
  const isBlankLast = raw.length === 0 || !line.endsWith(raw.at(-1) ?? '');
  const currentRaw = isBlankLast ? '' : (raw.pop() ?? '');
  const program = raw.findIndex((word) => !ASSIGNMENT.test(word));
  const previous = program === -1 ? [] : raw.slice(program + 1);
  return {
    previous: previous.map((word) => unquote(word, environment)),
    current: unquote(currentRaw),
    currentRaw,
  };
}

/**
 * The text that replaces `typed` in bash, quoted to fit the text before it. `typed` is only the end of a word if the
 * word contains `=`, `:` (COMP_WORDBREAKS) or a quote.
 */
export function bashReplacement(candidate: string, currentRaw: string, typed: string): string {
  const head = currentRaw.endsWith(typed) ? currentRaw.slice(0, currentRaw.length - typed.length) : '';
  const rest = candidate.slice(unquote(head).length);
  switch (openQuote(head)) {
    case "'":
      return rest.replaceAll("'", "'\\''");
    case '"':
      return rest.replaceAll(/["\\$`]/g, '\\$&');
    case '':
      return rest.replaceAll(SPECIAL, '\\$&');
  }
}

/** Without an environment, variables and `~` are not expanded. */
function unquote(raw: string, environment?: NodeJS.ProcessEnv): string {
  const text = raw.replaceAll(PART, (_, escaped?: string, single?: string, double?: string, bare?: string) => {
    return escaped ?? single ?? expand(double ?? bare ?? '', environment);
  });
  return raw.startsWith('~/') ? (environment?.['HOME'] || '~') + text.slice(1) : text;
}

/** Expands variables. In double quotes, a backslash escapes only these characters (bash(1), QUOTING). */
function expand(text: string, environment: NodeJS.ProcessEnv | undefined): string {
  return text.replaceAll(VARIABLE, (all: string, escaped?: string, name?: string, braced?: string) => {
    if (escaped !== undefined) return escaped;
    return environment === undefined ? all : (environment[name ?? braced ?? ''] ?? '');
  });
}

/** The quote that is not closed at the end of a text. */
function openQuote(raw: string): Quote {
  return (/['"]/.exec(raw.replaceAll(CLOSED, ''))?.[0] ?? '') as Quote;
}
