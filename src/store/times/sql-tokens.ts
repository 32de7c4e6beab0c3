/** A token of SQL. `value` is a keyword or an operator in upper case, a name without quotes, or the text of a literal. */
export interface Token {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'symbol';
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const SKIPPED = /(?:\s|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/y;
const FORMS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['text', /'(?:[^']|'')*'/y],
  ['symbol', /[xX]'[^']*'/y],
  ['name', /"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]/y],
  ['number', /(?:\d[\w.]*|\.\d\w*)(?:(?<=\d[eE])[+-]\d+)?/y],
  ['word', /[\p{L}_\u0080-\uffff][\w$\u0080-\uffff]*/uy],
  ['symbol', /->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[?:@#$]\w+|[\s\S]/y],
];

/** The tokens of SQL that SQLite has accepted. */
export function sqlTokens(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let start = 0; start < sql.length; ) {
    start += lengthOf(SKIPPED, sql, start);
    for (const [kind, form] of FORMS) {
      const end = start + lengthOf(form, sql, start);
      if (end === start) continue;
      tokens.push({ kind, value: tokenValue(kind, sql.slice(start, end)), start, end });
      start = end;
      break;
    }
  }
  return tokens;
}

function lengthOf(form: RegExp, sql: string, start: number): number {
  form.lastIndex = start;
  return form.exec(sql)?.[0].length ?? 0;
}

function tokenValue(kind: Token['kind'], text: string): string {
  if (kind === 'word') return text.toUpperCase();
  if (kind !== 'text' && kind !== 'name') return text;
  const quote = text.at(-1) ?? '';
  return text.slice(1, -1).replaceAll(quote + quote, quote);
}
