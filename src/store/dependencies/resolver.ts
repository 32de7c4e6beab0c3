import { RqError } from '../../job/errors.ts';
import { type Dependency, parseDependencies } from '../../job/placement/dependencies.ts';
import type { FieldPair, JidRange } from '../../job/selection.ts';
import type { Connection } from '../connection.ts';
import { ArrayTasks } from './array-tasks.ts';
import { findNamed, findOne, firstNamed, type Term } from './candidates.ts';
import { addGate, type Dependence, endOf, markParents } from './gates.ts';

/** A job that gets dependencies, and its index if it is the task of an array. */
export interface Dependent {
  readonly jid: number;
  readonly index: number | null;
}

interface ResolverOptions {
  /** How an error begins: `cannot submit`. */
  readonly action: string;
  readonly directory: string;
  /** The highest jid before the transaction. A transaction that adds no jobs has none. */
  readonly known?: number;
}

/** The dependencies of one text, and the gate of the jobs that have them. */
interface Resolved {
  readonly dependencies: readonly Dependency[];
  readonly gate: number | null;
  /** The first job that has the gate. */
  readonly first: number;
  /** Jobs from this jid on are not considered yet. */
  upTo: number;
}

/** More than this would hold the lease of the queue for minutes. */
const MAX_NEEDS = 10_000_000;

/** Finds the jobs that the fields `after` of one transaction name, and makes gates. */
export class DependencyResolver {
  private readonly resolved = new Map<string, Resolved>();
  private readonly parents = new Set<number>();
  private readonly tasks: ArrayTasks;
  private readonly known: number;
  private needs = 0;
  /** Why the first of the jobs that cannot run is dead. */
  deathReason: string | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: ResolverOptions,
  ) {
    this.known = options.known ?? Number.MAX_SAFE_INTEGER;
    this.tasks = new ArrayTasks(connection);
  }

  /**
   * The gate of a job with these dependencies; null if all are met. Jobs with the same text share a gate. Throws NO_JOB if
   * the text names no job, and INVALID_INPUT if it names a job that is not before this one.
   */
  gateOf(text: string | null, dependent: Dependent): number | null {
    if (text === null) return null;
    const earlier = this.resolved.get(text);
    if (earlier !== undefined && this.isComplete(text, earlier, dependent)) return earlier.gate;
    const dependencies = earlier?.dependencies ?? parseDependencies(text);
    const dependences = dependencies.flatMap((dependency) => this.find(text, dependency, dependent));
    const { gate, reason } = addGate(this.connection, dependences);
    this.deathReason ??= reason ?? undefined;
    this.needs += dependences.length;
    if (this.needs > MAX_NEEDS)
      throw this.error('INVALID_INPUT', text, `there are more than ${MAX_NEEDS} dependencies`);
    if (gate !== null) for (const { jid } of dependences) this.parents.add(jid);
    this.resolved.set(text, { dependencies, gate, first: dependent.jid, upTo: dependent.jid });
    return gate;
  }

  /** Marks the jobs on which others depend. Throws INVALID_INPUT if two arrays do not pair up. */
  finish(): void {
    if (this.parents.size > 0) markParents(this.connection, this.parents);
    const fault = this.options.known === undefined ? undefined : this.tasks.mismatch();
    if (fault !== undefined) throw this.error('INVALID_INPUT', fault.text, fault.reason);
  }

  /** Whether an earlier job with the same text has the same dependencies. */
  private isComplete(text: string, resolved: Resolved, { jid }: Dependent): boolean {
    const { dependencies, first, upTo } = resolved;
    if (jid < first) return false;
    for (const dependency of dependencies) {
      if ('each' in dependency) return false;
      const target = targetOf(dependency);
      if ('last' in target && (target.first === target.last || target.last < upTo)) continue;
      const term = { target, text, known: this.known };
      if (firstNamed(this.connection, term, { first: upTo, last: jid - 1 }) !== undefined) return false;
    }
    resolved.upTo = jid;
    return true;
  }

  private find(text: string, dependency: Dependency, dependent: Dependent): Dependence[] {
    if ('each' in dependency) return [this.partnerOf(text, dependency.each, dependent)];
    const { kind } = dependency;
    const target = targetOf(dependency);
    if ('last' in target && target.first === target.last) {
      return [{ kind, ...this.findJob(text, target.first, dependent) }];
    }
    const term = { target, text, known: this.known };
    const rows = findNamed(this.connection, term, dependent.jid);
    this.refuseLater(term, dependent.jid);
    if (rows.length === 0)
      throw this.error('NO_JOB', text, `no job in ${this.options.directory} matches ${shown(target)}`);
    return rows.map((row) => ({ kind, jid: Number(row['jid']), end: endOf(row) }));
  }

  private findJob(text: string, jid: number, dependent: Dependent): Omit<Dependence, 'kind'> {
    const { directory } = this.options;
    // This transaction has just added it.
    if (jid > this.known && jid < dependent.jid) return { jid, end: undefined };
    const row = findOne(this.connection, jid);
    if (row === undefined) {
      throw this.error('NO_JOB', text, `no job ${jid} in ${directory}; list the jobs with: rq ${directory} list`);
    }
    if (jid >= dependent.jid) throw this.notBefore(text, jid, dependent.jid);
    return { jid, end: endOf(row) };
  }

  /** Only dependencies on earlier jobs cannot form a cycle. */
  private refuseLater(term: Term, jid: number): void {
    const later = firstNamed(this.connection, term, { first: jid, last: Number.MAX_SAFE_INTEGER });
    if (later !== undefined) throw this.notBefore(term.text, later, jid);
  }

  private partnerOf(text: string, array: number, { jid, index }: Dependent): Dependence {
    const partner = this.tasks.partner(text, array, index);
    if (typeof partner === 'string') throw this.error(index === null ? 'INVALID_INPUT' : 'NO_JOB', text, partner);
    if (partner.jid >= jid) throw this.notBefore(text, partner.jid, jid);
    return { kind: 'ok', ...partner };
  }

  private notBefore(text: string, named: number, jid: number): RqError {
    const reason = named === jid ? `job ${jid} cannot wait for itself` : `job ${jid} cannot wait for job ${named}`;
    return this.error('INVALID_INPUT', text, `${reason}; name only jobs with smaller jids`);
  }

  private error(code: 'NO_JOB' | 'INVALID_INPUT', text: string, reason: string): RqError {
    return new RqError(code, `${this.options.action} with after=${shortened(text)}: ${reason}`);
  }
}

type Target = JidRange | FieldPair;

function targetOf(dependency: Exclude<Dependency, { each: number }>): Target {
  return 'jids' in dependency ? dependency.jids : dependency.pair;
}

function shown(target: Target): string {
  return 'field' in target ? `${target.field}=${target.value}` : `${target.first}-${target.last}`;
}

const MAX_SHOWN = 60;

function shortened(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text;
}
