import {
  type LimitedArray,
  parseShape,
  type Requests,
  type Shape,
  shapeOf,
  shapeText,
} from '../../job/placement/shape.ts';
import type { Connection, Row } from '../connection.ts';
import { HAS_VALID_LENGTHS } from '../job-rows.ts';

const FIND = 'SELECT shape FROM shapes WHERE spec = ?';
const ADD = 'INSERT INTO shapes (spec) VALUES (?)';
/** Running jobs are first: until they have a shape, they do not count towards the limits of the queue. */
const SHAPELESS = `SELECT jid, owner, runners, cpus, jobs.memory, gpus, needs, lanes, arrays.array, at_most, max_fails
  FROM jobs INDEXED BY jobs_shapeless LEFT JOIN arrays ON arrays.array = jobs.array
  WHERE shape IS NULL AND state IN ('pending', 'running') AND ${HAS_VALID_LENGTHS}
  ORDER BY state DESC, jid LIMIT :limit`;
const FIRST_SHAPELESS = `SELECT jid FROM jobs INDEXED BY jobs_shapeless
  WHERE shape IS NULL AND state IN ('pending', 'running') AND ${HAS_VALID_LENGTHS} LIMIT :limit`;
/** To change such a row would read all of its text. */
const TOO_LONG = `SELECT jid FROM jobs INDEXED BY jobs_shapeless
  WHERE shape IS NULL AND state IN ('pending', 'running') AND NOT (${HAS_VALID_LENGTHS}) LIMIT :limit`;
const SET_SHAPE = 'UPDATE jobs SET shape = :shape WHERE jid = :jid';

/** The shapes of jobs inside one transaction. */
export class ShapeIds {
  private readonly known = new Map<string, number>();

  constructor(private readonly connection: Connection) {}

  /** The id of the shape of a job, which is added if no job has it yet. */
  of(job: Requests, array: LimitedArray | null): number {
    const { owner, runners, cpus, memory, gpus, needs, lanes } = job;
    // To make the text of a shape takes several times longer, and a list has few kinds of jobs.
    const key = JSON.stringify([owner, runners, cpus, memory, gpus, needs, lanes, array]);
    const id = this.known.get(key) ?? this.find(shapeText(shapeOf(job, array)));
    this.known.set(key, id);
    return id;
  }

  private find(text: string): number {
    const found = this.connection.get(FIND, [text]);
    return found === undefined ? this.connection.run(ADD, [text]).lastRowid : Number(found['shape']);
  }
}

/**
 * Gives a shape to at most `limit` jobs that have none: an upgrade, a recovery, or a change of their requests left them
 * without. They cannot be claimed before. Returns the jids of rows that cannot be changed.
 */
export function shapeJobs(connection: Connection, limit: number): number[] {
  const ids = new ShapeIds(connection);
  const faulty: number[] = [];
  for (const row of connection.all(SHAPELESS, { limit })) {
    const jid = Number(row['jid']);
    const shape = ids.of(row as unknown as Requests, limitedArray(row));
    connection.part(
      () => void connection.run(SET_SHAPE, { jid, shape }),
      () => faulty.push(jid),
    );
  }
  return faulty;
}

/** Jobs that get no shape, because their text is longer than rq accepts. */
export function jobsWithLongText(connection: Connection, limit: number): number[] {
  return connection.all(TOO_LONG, { limit }).map(({ jid }) => Number(jid));
}

/** Whether a job has no shape that is not known to be invalid. */
export function hasShapeless(connection: Connection, invalid: ReadonlySet<number>): boolean {
  return connection.all(FIRST_SHAPELESS, { limit: invalid.size + 1 }).some(({ jid }) => !invalid.has(Number(jid)));
}

/** The limited array of a row with the columns of `arrays`; null if it has none. */
export function limitedArray({ array, at_most, max_fails }: Row): LimitedArray | null {
  if (typeof array !== 'number') return null;
  return { jid: array, atMost: typeof at_most === 'number' ? at_most : null, canStop: max_fails !== null };
}

/** The shape of a text. Shapes never change. */
export function shapeFrom(connection: Connection, text: string): Shape {
  return connection.parsed(text, parseShape);
}
