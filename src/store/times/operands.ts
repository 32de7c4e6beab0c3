import { RqError } from '../../job/errors.ts';
import { COMPARISON_ADVICE, namedTime } from '../../job/time-text.ts';
import { shownValue } from '../../job/value-faults.ts';
import type { Connection } from '../connection.ts';

/** What is known of the value of an expression. */
export interface Operand {
  /**
   * `time`: as rq stores it, or NULL. `text`: a literal. `formatted`: text of a date function of SQLite. `derived`: made from
   * a time in another way. `row`: several values.
   */
  readonly kind: 'time' | 'text' | 'null' | 'number' | 'formatted' | 'derived' | 'row' | 'other';
  readonly start: number;
  readonly end: number;
  /** The text of a literal; for `formatted`, its form with a 9 for each digit. */
  readonly text?: string;
  /** The values of a row. */
  readonly parts?: readonly Operand[];
}

export interface TimeContext {
  readonly connection: Connection;
  readonly sql: string;
  /** The current time, to which relative times refer. */
  readonly now: string;
  /** The start of an error message: `cannot query`. */
  readonly attempted: string;
}

/** A time, and a number that SQLite takes for a julian day and for seconds since 1970. */
const SAMPLE = { time: "'2026-11-28T22:51:00.000Z'", number: '2461000' };
const DATE_FUNCTIONS = new Set(['DATE', 'TIME', 'DATETIME', 'JULIANDAY', 'UNIXEPOCH', 'STRFTIME']);
const NUMBERS = new Set(['JULIANDAY', 'UNIXEPOCH', 'COUNT', 'LENGTH']);
const CHOICES = new Set(['MIN', 'MAX', 'COALESCE', 'IFNULL']);
/** The format with which strftime() makes a time as rq stores it. */
const STORED_FORMAT = '%Y-%m-%dT%H:%M:%fZ';

/** Whether a name is that of a function whose result is a time or a part of one. */
export function isDateFunction(name: string): boolean {
  return DATE_FUNCTIONS.has(name) || name.startsWith('CURRENT_');
}

/**
 * Checks how an SQL text uses times, and collects the literals to replace by times as rq stores them. A use that could
 * select wrong jobs throws INVALID_INPUT.
 */
export class Operands {
  /** The replaced literals, by their start. */
  readonly edits = new Map<number, { readonly end: number; readonly text: string }>();
  /** Whether a literal is compared with a time, or with a value of which nothing is known. */
  hasComparison = false;

  constructor(private readonly context: TimeContext) {}

  compare(left: Operand, operator: string, right: Operand): void {
    const pair = [left, right];
    const has = (...kinds: Operand['kind'][]): boolean => pair.some(({ kind }) => kinds.includes(kind));
    if (has('text') && has('time', 'other')) this.hasComparison = true;
    if (has('null')) return;
    if (has('row')) this.refuseTimes(pair, 'compares times in a row of values; write one comparison for each');
    else if (has('derived')) this.refuse(pair, `compares a value that was made from a time; ${COMPARISON_ADVICE}`);
    else if (has('time')) this.compareTime(left, operator, right);
    else this.compareResults(left, operator, right);
  }

  private compareTime(left: Operand, operator: string, right: Operand): void {
    const isEquality = !/^[<>]=?$/.test(operator);
    for (const operand of [left, right]) {
      if (operand.kind === 'text') this.replace(operand, isEquality);
      else if (operand.kind !== 'time')
        this.refuse([left, right], `compares a time with something else; ${COMPARISON_ADVICE}`);
    }
  }

  /** A pattern would match the text of a time in UTC. */
  match(value: Operand, pattern: Operand): void {
    const advice = "write >= '2026-11-28' AND < '2026-11-29' for each comparison";
    this.refuseTimes([value, pattern], `matches a time with a pattern; ${advice}`);
  }

  /** The value of an expression that is one of several. */
  choice(operands: readonly Operand[], start: number, end: number): Operand {
    const kinds = new Set(operands.map(({ kind }) => kind).filter((kind) => kind !== 'null'));
    if (kinds.has('time')) {
      const areTimes = operands.every((operand) => this.isTime(operand));
      if (areTimes) for (const operand of operands) if (operand.kind === 'text') this.replace(operand, false);
      return { kind: areTimes ? 'time' : 'derived', start, end };
    }
    const [first] = operands;
    if (kinds.has('derived')) return { kind: 'derived', start, end };
    const isAlike = first !== undefined && kinds.size === 1 && operands.every(({ text }) => text === first.text);
    return isAlike && first.kind !== 'text' ? { ...first, start, end } : { kind: 'other', start, end };
  }

  /** The number that an operator makes of its operands. */
  arithmetic(operands: readonly Operand[], start: number, end: number): Operand {
    const isText = ({ kind, text = '' }: Operand): boolean => kind === 'formatted' && !/^9+(\.9+)?$/.test(text);
    if (operands.some((operand) => isText(operand) || ['time', 'derived'].includes(operand.kind))) {
      this.refuse(
        operands,
        'uses the text of a time as a number; use julianday(), in days, or unixepoch(), in seconds',
      );
    }
    const isNumber = operands.some(({ kind }) => kind === 'number' || kind === 'formatted');
    return { kind: isNumber ? 'number' : 'other', start, end };
  }

  concatenation(operands: readonly Operand[], start: number, end: number): Operand {
    return { kind: operands.some(isFromTime) ? 'derived' : 'other', start, end };
  }

  call(name: string, operands: readonly Operand[], start: number, end: number): Operand {
    const [first, second] = operands;
    if (isDateFunction(name)) return this.dateCall(name, operands, start, end);
    if (NUMBERS.has(name)) return { kind: 'number', start, end };
    if (CHOICES.has(name)) return this.choice(operands, start, end);
    if (name === 'IIF' || name === 'IF') return this.choice(operands.slice(1), start, end);
    if (name === 'NULLIF' && first !== undefined && second !== undefined) {
      this.compare(first, '=', second);
      return { ...first, start, end };
    }
    const isText = first?.kind === 'formatted' && name === 'CAST';
    return { kind: isText || operands.some(isFromTime) ? 'derived' : 'other', start, end };
  }

  /** Has SQLite show the form of the result, for a call whose other arguments are literals. */
  private dateCall(name: string, operands: readonly Operand[], start: number, end: number): Operand {
    const timeAt = name === 'STRFTIME' ? 1 : 0;
    const values = operands.map(({ kind, start: from, end: to }, index) => {
      if (kind === 'text' || /^[\d.]/.test(this.context.sql.slice(from, to))) return this.context.sql.slice(from, to);
      if (index !== timeAt) return undefined;
      return kind === 'number' ? SAMPLE.number : SAMPLE.time;
    });
    const isLocal = operands.some(({ kind, text = '' }) => kind === 'text' && text.toLowerCase() === 'localtime');
    const isStored = name === 'STRFTIME' && operands[0]?.text === STORED_FORMAT && !isLocal;
    if (values.includes(undefined)) {
      if (NUMBERS.has(name)) return { kind: 'number', start, end };
      if (isStored) return { kind: 'time', start, end };
      return { kind: operands.some(isFromTime) ? 'derived' : 'other', start, end };
    }
    const call = name.startsWith('CURRENT_') ? name : `${name}(${values.join(', ')})`;
    const result = this.context.connection.get(`SELECT ${call} AS result`)?.['result'] ?? null;
    if (result === null)
      this.refuse([{ start, end }], 'returns NULL, because SQLite does not recognise this time format');
    if (typeof result === 'number') return { kind: 'number', start, end };
    if (isStored) return { kind: 'time', start, end };
    return { kind: 'formatted', text: formOf(String(result)), start, end };
  }

  /** Text in one form is in the order of time. Of two forms, the shorter one must be the start of the other. */
  private compareResults(left: Operand, operator: string, right: Operand): void {
    const kinds = [left.kind, right.kind];
    if (!kinds.includes('formatted') && !kinds.includes('number')) return;
    if (kinds.includes('other') || (left.kind === 'number' && right.kind === 'number')) return;
    if (kinds.includes('number'))
      this.refuse([left, right], 'compares a number with text; in SQLite, any number is less than any text');
    const forms = [left, right].map(({ kind, text = '' }) => (kind === 'text' ? formOf(text) : text)) as [
      string,
      string,
    ];
    const [one, other] = forms;
    const isStart = (form: string, of: string): boolean => of.startsWith(form) && /^[^9]/.test(of.slice(form.length));
    if (one === other || (isStart(other, one) && ['>=', '<'].includes(operator))) return;
    if (isStart(one, other) && ['<=', '>'].includes(operator)) return;
    this.refuse([left, right], `compares text in two forms (${one} and ${other}); ${COMPARISON_ADVICE}`);
  }

  private isTime({ kind, text = '' }: Operand): boolean {
    return kind === 'time' || kind === 'null' || (kind === 'text' && !('fault' in namedTime(text, this.context.now)));
  }

  private replace(literal: Operand, isEquality: boolean): void {
    const text = literal.text ?? '';
    const time = namedTime(text, this.context.now);
    if ('fault' in time) this.refuse([], `'${text}' ${time.fault}`);
    if (isEquality && time.last === undefined) {
      this.refuse([], `'${text}' is a time that no job is likely to have exactly; compare with <, <=, > or >=`);
    }
    if (isEquality && time.last !== time.first) {
      this.refuse([], `'${text}' is more than one millisecond; write BETWEEN '${time.first}' AND '${time.last}'`);
    }
    if (text !== time.first) this.edits.set(literal.start, { end: literal.end, text: `'${time.first}'` });
  }

  private refuseTimes(operands: readonly Operand[], fault: string): void {
    if (operands.some((operand) => [operand, ...(operand.parts ?? [])].some(isFromTime))) this.refuse(operands, fault);
  }

  /** Throws INVALID_INPUT, with the SQL from the first to the last of the operands. */
  refuse(operands: readonly Pick<Operand, 'start' | 'end'>[], fault: string): never {
    const { attempted, sql } = this.context;
    const start = Math.min(...operands.map((operand) => operand.start));
    const source = sql.slice(start, Math.max(...operands.map(({ end }) => end)));
    const shown = operands.length === 0 ? '' : `${shownValue(source.replaceAll(/\s+/g, ' '))} `;
    throw new RqError('INVALID_INPUT', `${attempted}: ${shown}${fault}`);
  }
}

function isFromTime({ kind }: Operand): boolean {
  return kind === 'time' || kind === 'derived';
}

function formOf(text: string): string {
  return text.replaceAll(/\d/g, '9');
}
