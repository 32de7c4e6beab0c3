import type { FieldPair, JidRange } from '../../job/selection.ts';
import type { Connection, Row } from '../connection.ts';
import { sqlName } from '../job-columns.ts';

const OUTCOME = 'SELECT jid, state, exit_status, reason FROM jobs';
/** Jobs of one submit with the same dependencies do not depend on each other. */
const IS_OTHER = '(jid <= :known OR after IS NOT :text)';
const ONE = `${OUTCOME} WHERE jid = ?`;
const TASKS = `SELECT jid, "index", state, exit_status, reason FROM jobs WHERE array = ? AND "index" IS NOT NULL`;

/** The jobs that a term of `after` names, of which a transaction has added those above `known`. */
export interface Term {
  readonly target: JidRange | FieldPair;
  /** The text of the field `after`. */
  readonly text: string;
  readonly known: number;
}

export function findOne(connection: Connection, jid: number): Row | undefined {
  return connection.get(ONE, [jid]);
}

/** The jobs below the jid `below` that the term names, with how they ended. */
export function findNamed(connection: Connection, term: Term, below: number): Row[] {
  const { condition, parameters } = conditionOf(term);
  return connection.all(`${OUTCOME} WHERE ${condition} AND jid < :below AND ${IS_OTHER} ORDER BY jid`, {
    ...parameters,
    below,
  });
}

/** The first job from `from` to `to` that the term names. */
export function firstNamed(connection: Connection, term: Term, { first, last }: JidRange): number | undefined {
  const { condition, parameters } = conditionOf(term);
  const sql = `SELECT jid FROM jobs WHERE ${condition} AND jid BETWEEN :from AND :to AND ${IS_OTHER} ORDER BY jid LIMIT 1`;
  const jid = connection.get(sql, { ...parameters, from: first, to: last })?.['jid'];
  return jid === undefined ? undefined : Number(jid);
}

/** The tasks of an array, with how they ended. */
export function findTasks(connection: Connection, array: number): Row[] {
  return connection.all(TASKS, [array]);
}

function conditionOf({ target, text, known }: Term): { condition: string; parameters: Row } {
  const parameters: Row = { text, known };
  if (!('field' in target)) {
    return { condition: 'jid BETWEEN :first AND :last', parameters: { ...parameters, ...target } };
  }
  const { field, value, upTo } = target;
  const column = sqlName(field);
  if (value === null) return { condition: `${column} IS NULL`, parameters };
  // With "IS", SQLite would use no partial index.
  if (upTo === undefined) return { condition: `${column} = :value`, parameters: { ...parameters, value } };
  return { condition: `${column} BETWEEN :value AND :upTo`, parameters: { ...parameters, value, upTo } };
}
