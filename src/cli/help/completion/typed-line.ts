/** A command line up to the cursor: the words after the program's name, and the one that is being typed. */
export interface TypedLine {
  /** Without quotes; `~/` and variables of the environment stand for what they name. */
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
/** What bash would not take for itself outside of quotes. */
const SPECIAL = /[^\w@%+=:,./~^-]/gu;

/** Takes a line apart as a shell would, had it ended here; a quote need not be closed, and nothing is run. */
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
 * The text for bash to put in the place of `typed`, the end of the word that it completes: bash begins anew after `=`
 * and `:` (COMP_WORDBREAKS) and in quotes. Quoted as what stands before asks for.
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

/** Without an environment, variables and `~` are text as all else. */
function unquote(raw: string, environment?: NodeJS.ProcessEnv): string {
  const text = raw.replaceAll(PART, (_, escaped?: string, single?: string, double?: string, bare?: string) => {
    return escaped ?? single ?? expand(double ?? bare ?? '', environment);
  });
  return raw.startsWith('~/') ? (environment?.['HOME'] || '~') + text.slice(1) : text;
}

/** Bare text has no backslashes left; those in double quotes stand before what they take the meaning from. */
function expand(text: string, environment: NodeJS.ProcessEnv | undefined): string {
  return text.replaceAll(VARIABLE, (all: string, escaped?: string, name?: string, braced?: string) => {
    if (escaped !== undefined) return escaped;
    return environment === undefined ? all : (environment[name ?? braced ?? ''] ?? '');
  });
}

/** The quote that is open at the end of a text. */
function openQuote(raw: string): Quote {
  return (/['"]/.exec(raw.replaceAll(CLOSED, ''))?.[0] ?? '') as Quote;
}
