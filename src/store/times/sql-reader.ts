import { COLUMN_NAMES } from '../../job/columns.ts';
import type { Operand, Operands } from './operands.ts';
import type { Token } from './sql-tokens.ts';

/** The binary operators by precedence, as in the documentation of SQLite. */
const LEVELS = [
  ['OR'],
  ['AND'],
  ['NOT'],
  ['=', '==', '<>', '!=', 'IS', 'IN', 'LIKE', 'GLOB', 'MATCH', 'REGEXP', 'BETWEEN', 'ISNULL', 'NOTNULL'],
  ['<', '<=', '>', '>='],
  ['&', '|', '<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['||', '->', '->>'],
  ['COLLATE'],
];
const PRECEDENCE = new Map(LEVELS.flatMap((level, index) => level.map((operator) => [operator, index + 1] as const)));
const [NOT, EQUALITY, ORDER, UNARY] = [3, 4, 5, 11];
const COMPARISONS = new Set(['=', '==', '<>', '!=', '<', '<=', '>', '>=']);
const CONCATENATIONS = new Set(['||', '->', '->>']);
const PATTERNS = new Set(['LIKE', 'GLOB', 'MATCH', 'REGEXP']);

/** Words that begin a clause. Expressions follow, separated by commas or by other words. */
const CLAUSES = new Set(
  'SELECT FROM WHERE GROUP HAVING ORDER LIMIT ON USING WITH VALUES WINDOW PARTITION UPDATE SET INTO RETURNING'.split(
    ' ',
  ),
);
const SEPARATORS = new Set([
  ...CLAUSES,
  ...'DISTINCT ALL BY OFFSET UNION INTERSECT EXCEPT JOIN LEFT RIGHT FULL INNER CROSS NATURAL OUTER ASC DESC NULLS'.split(
    ' ',
  ),
  ...'RECURSIVE MATERIALIZED INDEXED DELETE INSERT REPLACE DEFAULT CONFLICT DO NOTHING'.split(' '),
]);
const ENDS_ALIAS = new Set([...SEPARATORS, ...PRECEDENCE.keys(), 'AS', 'WHEN', 'THEN', 'ELSE', 'END']);

interface Item {
  readonly clause: string;
  readonly operand: Operand;
}

/** The columns that hold times, and other names that the SQL gives to such values, by lower-case name. */
export type TimeNames = ReadonlyMap<string, Pick<Operand, 'kind' | 'text'>>;

/**
 * Reads SQL that SQLite has accepted, and passes each use of a value to `Operands`. Expressions are read with the
 * precedence of SQLite. The clauses of a statement are read as lists of expressions.
 */
export class SqlReader {
  /** The names that the SQL gives to values made from times. */
  readonly aliases = new Map<string, Pick<Operand, 'kind' | 'text'>>();
  /** Names that inner statements give to columns in a way that this does not follow. */
  readonly unclear: Operand[] = [];
  private index = 0;
  private depth = 0;
  private namesColumns = false;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly names: TimeNames,
    private readonly operands: Operands,
  ) {}

  /** Reads the text up to its end. */
  read(): void {
    this.list();
    const rest = this.tokens[this.index];
    if (rest !== undefined) this.unreadable(rest);
  }

  /** Reads expressions up to a closing parenthesis. */
  private list(): Item[] {
    const items: Item[] = [];
    let clause = '';
    for (;;) {
      const word = this.peek();
      if (word === undefined || word === ')') return items;
      if (word === ',' || word === ';') this.index += 1;
      else if (SEPARATORS.has(word) && !(this.peek(1) === '(' && word === 'REPLACE')) {
        this.index += 1;
        if (CLAUSES.has(word)) clause = word;
      } else if (this.skip('AS')) this.alias(items.at(-1));
      else if (clause === 'SET' && this.peek(1) === '=') this.assignment();
      else {
        items.push({ clause, operand: this.namedExpression() });
        const next = this.tokens[this.index];
        const isName = next?.kind === 'name' || next?.kind === 'text' || next?.kind === 'word';
        if (isName && !ENDS_ALIAS.has(next.value) && clause === 'SELECT') this.alias(items.at(-1));
      }
    }
  }

  /** The name of a column of a result, or of a table. */
  private alias(item: Item | undefined): void {
    const name = this.tokens[this.index];
    if (item === undefined || name === undefined) return;
    const { clause, operand } = item;
    if (clause === 'WITH') this.namesColumns = this.tokens[this.index - 2]?.value === ')';
    if (clause === 'WITH' || clause === 'WINDOW') return;
    this.index += 1;
    if (clause !== 'SELECT') return;
    const { kind, text } = operand;
    const key = name.value.toLowerCase();
    const isColumn = COLUMN_NAMES.some((column) => column === key);
    const known = this.names.get(key) ?? this.aliases.get(key) ?? (isColumn ? { kind: 'other' as const } : undefined);
    const isTimeLike = isFromTime(kind) || (known !== undefined && isFromTime(known.kind));
    if (known === undefined && isTimeLike) this.aliases.set(key, text === undefined ? { kind } : { kind, text });
    const isClear = known === undefined || (known.kind === kind && known.text === text);
    if (!isClear && isTimeLike && this.depth > 0) this.unclear.push({ ...operand, end: name.end });
  }

  /** Reads an expression. After `WITH name(column) AS`, it is a statement whose results get other names. */
  private namedExpression(): Operand {
    const { namesColumns } = this;
    this.namesColumns = false;
    const operand = this.expression(0);
    const results = [operand, ...(operand.parts ?? [])];
    if (namesColumns && results.some(({ kind }) => isFromTime(kind))) this.unclear.push(operand);
    return operand;
  }

  /** `name = value` after SET. The value of a time must be one as rq stores it. */
  private assignment(): void {
    const column = this.operand();
    this.index += 1;
    const value = this.expression(0);
    if (column.kind === 'time') this.operands.compare(column, '=', value);
  }

  private expression(minimum: number): Operand {
    let left = this.operand();
    for (;;) {
      const word = this.peek() ?? '';
      const operator = word === 'NOT' ? (this.peek(1) ?? '') : word;
      const isNegatable = word !== 'NOT' || operator === 'NULL' || PRECEDENCE.get(operator) === EQUALITY;
      const precedence = operator === 'NULL' && word === 'NOT' ? EQUALITY : PRECEDENCE.get(operator);
      if (!isNegatable || precedence === undefined || precedence < minimum) return left;
      this.index += word === 'NOT' ? 2 : 1;
      left = this.operation(left, operator, precedence);
    }
  }

  /** Reads what follows an operator. */
  private operation(left: Operand, operator: string, precedence: number): Operand {
    const { operands } = this;
    if (operator === 'COLLATE') {
      this.index += 1;
      return left;
    }
    if (operator === 'BETWEEN') this.between(left);
    else if (operator === 'IN') this.membership(left);
    else if (operator === 'IS') this.identity(left);
    else if (!['ISNULL', 'NOTNULL', 'NULL'].includes(operator)) {
      const right = this.expression(precedence + 1);
      if (CONCATENATIONS.has(operator)) return operands.concatenation([left, right], left.start, right.end);
      if (precedence > ORDER) return operands.arithmetic([left, right], left.start, right.end);
      if (COMPARISONS.has(operator)) operands.compare(left, operator, right);
      if (PATTERNS.has(operator)) operands.match(left, right);
      if (this.skip('ESCAPE')) this.expression(ORDER);
    }
    return { kind: 'other', start: left.start, end: this.endOfLast() };
  }

  private between(value: Operand): void {
    const low = this.expression(ORDER);
    this.skip('AND');
    const high = this.expression(ORDER);
    this.operands.compare(value, '>=', low);
    this.operands.compare(value, '<=', high);
  }

  private membership(value: Operand): void {
    const set = this.operand();
    const members = set.kind === 'row' && value.kind !== 'row' ? (set.parts ?? []) : [set];
    for (const member of members) this.operands.compare(value, '=', member);
  }

  private identity(left: Operand): void {
    this.skip('NOT');
    if (this.skip('DISTINCT')) this.skip('FROM');
    this.operands.compare(left, '=', this.expression(ORDER));
  }

  private operand(): Operand {
    const token = this.tokens[this.index];
    if (token === undefined || this.peek() === ')' || this.peek() === ',') return this.unreadable(token);
    this.index += 1;
    const { kind, value, start, end } = token;
    if (kind === 'text') return { kind, text: value, start, end };
    if (kind === 'number') return { kind, start, end };
    if (value === '(') return this.parenthesis(start);
    if (['-', '+', '~'].includes(value))
      return this.operands.arithmetic([this.expression(UNARY)], start, this.endOfLast());
    if (kind === 'symbol') return { kind: 'other', start, end };
    if (kind === 'name') return this.named(token);
    if (value === 'NULL') return { kind: 'null', start, end };
    if (value === 'CASE') return this.cases(start);
    if (value.startsWith('CURRENT_')) return this.operands.call(value, [], start, end);
    if (value === 'NOT' || value === 'EXISTS') {
      this.expression(value === 'NOT' ? NOT : UNARY);
      return { kind: 'other', start, end: this.endOfLast() };
    }
    return this.named(token);
  }

  /** One value, a list of values, or a statement. */
  private parenthesis(start: number): Operand {
    const isStatement = ['SELECT', 'WITH', 'VALUES'].includes(this.peek() ?? '');
    this.depth += 1;
    const items = this.list();
    this.depth -= 1;
    this.index += 1;
    const results = items.filter(({ clause }) => !isStatement || clause === 'SELECT' || clause === 'VALUES');
    const parts = results.map(({ operand }) => operand);
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return only;
    return { kind: 'row', parts, start, end: this.endOfLast() };
  }

  private cases(start: number): Operand {
    const base = this.peek() === 'WHEN' ? undefined : this.expression(0);
    const results: Operand[] = [];
    while (this.skip('WHEN')) {
      const condition = this.expression(0);
      if (base !== undefined) this.operands.compare(base, '=', condition);
      this.skip('THEN');
      results.push(this.expression(0));
    }
    if (this.skip('ELSE')) results.push(this.expression(0));
    this.skip('END');
    return this.operands.choice(results, start, this.endOfLast());
  }

  /** A column, or a call of a function. */
  private named({ start, value }: Token): Operand {
    let name = value;
    while (this.skip('.')) {
      name = this.tokens[this.index]?.value ?? '';
      this.index += 1;
    }
    if (!this.skip('(')) {
      return { ...(this.names.get(name.toLowerCase()) ?? { kind: 'other' }), start, end: this.endOfLast() };
    }
    this.depth += 1;
    const items = this.list();
    this.depth -= 1;
    this.index += 1;
    const end = this.endOfLast();
    while (this.skip('FILTER') || this.skip('OVER')) this.operand();
    const values = items.filter(({ clause }) => clause === '').map(({ operand }) => operand);
    return this.operands.call(name.toUpperCase(), values, start, end);
  }

  /** The next keyword or symbol; a name or a literal is neither. */
  private peek(ahead = 0): string | undefined {
    const token = this.tokens[this.index + ahead];
    if (token === undefined) return undefined;
    return token.kind === 'word' || token.kind === 'symbol' ? token.value : '';
  }

  private skip(word: string): boolean {
    if (this.peek() !== word) return false;
    this.index += 1;
    return true;
  }

  private unreadable(token: Token | undefined): never {
    const span = token ?? { start: 0, end: this.endOfLast() };
    return this.operands.refuse([span], 'cannot be checked for times; write the condition in another way');
  }

  private endOfLast(): number {
    return this.tokens[this.index - 1]?.end ?? 0;
  }
}

function isFromTime(kind: Operand['kind']): boolean {
  return kind === 'time' || kind === 'derived' || kind === 'formatted';
}
