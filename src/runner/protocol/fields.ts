import { constants } from 'node:os';
import type { AttemptKey } from '../../job/job.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string>>;
/** Soft limits by the names of resources in lower case, such as `nofile` (getrlimit(2)). */
export type ResourceLimits = Readonly<Record<string, number | 'unlimited'>>;

/** All resources of Linux except `locks`, whose limit identifies an attempt. */
const RESOURCES = new Set(
  'as core cpu data fsize memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** The fields of a line. Undefined if the line is not a JSON object. */
export function parseFields(line: string): Fields | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

/** Reads fields by name and type. It calls `refuse`, which must throw, with a description of an invalid field. */
export class FieldReader {
  constructor(
    readonly fields: Fields,
    private readonly refuse: (message: string) => never,
  ) {}

  integer(name: string, first: number, last: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.fields[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= first && value <= last) return value;
    return this.refuse(`${name} must be an integer from ${first} to ${last}`);
  }

  optionalInteger(name: string, first: number, last: number = Number.MAX_SAFE_INTEGER): number | null {
    return this.isAbsent(name) ? null : this.integer(name, first, last);
  }

  optionalNumber(name: string): number | null {
    const value = this.fields[name] ?? null;
    return value === null || typeof value === 'number' ? value : this.refuse(`${name} must be a number or null`);
  }

  flag(name: string): boolean {
    const value = this.fields[name];
    return typeof value === 'boolean' ? value : this.refuse(`${name} must be true or false`);
  }

  text(name: string): string {
    const value = this.fields[name];
    return typeof value === 'string' ? value : this.refuse(`${name} must be a string`);
  }

  optionalText(name: string): string | null {
    return this.isAbsent(name) ? null : this.text(name);
  }

  path(name: string): string {
    const value = this.text(name);
    return value.startsWith('/') && !value.includes('\0') ? value : this.refuse(`${name} must be an absolute path`);
  }

  optionalPath(name: string): string | null {
    return this.isAbsent(name) ? null : this.path(name);
  }

  signal(name: string): NodeJS.Signals {
    const value = this.text(name);
    return isSignal(value) ? value : this.refuse(`${name} must be the name of a signal, such as SIGTERM`);
  }

  environment(name: string): Environment {
    const value = this.fields[name];
    return isObject(value) && Object.entries(value).every(isVariable)
      ? (value as Environment)
      : this.refuse(
          `${name} must be an object of strings without NUL whose names are not empty and do not contain "="`,
        );
  }

  /** A umask in octal, or null. */
  optionalUmask(name: string): number | null {
    const value = this.optionalText(name);
    if (value === null || /^[0-7]{1,4}$/.test(value)) return value === null ? null : Number.parseInt(value, 8) & 0o777;
    return this.refuse(`${name} must be an octal number of at most four digits, or null`);
  }

  optionalLimits(name: string): ResourceLimits {
    const limits = this.optionalObject(name)?.fields ?? {};
    return Object.entries(limits).every(isLimit)
      ? (limits as ResourceLimits)
      : this.refuse(`${name} must be an object of resources, such as nofile, whose values are integers or "unlimited"`);
  }

  /** A list of at most `max` texts that are not empty; none if it is absent. */
  optionalTexts(name: string, max: number): string[] {
    const value = this.fields[name] ?? [];
    const isText = (each: unknown): each is string => typeof each === 'string' && each !== '';
    return Array.isArray(value) && value.length <= max && value.every(isText)
      ? value
      : this.refuse(`${name} must be a list of at most ${max} texts that are not empty`);
  }

  /** An object of positive integers; empty if it is absent. */
  optionalCounts(name: string): Readonly<Record<string, number>> {
    const counts = this.optionalObject(name)?.fields ?? {};
    return Object.values(counts).every((count) => Number.isSafeInteger(count) && Number(count) > 0)
      ? (counts as Readonly<Record<string, number>>)
      : this.refuse(`${name} must be an object of positive integers`);
  }

  optionalFlag(name: string): boolean {
    return !this.isAbsent(name) && this.flag(name);
  }

  key(): AttemptKey {
    return { jid: this.integer('jid', 1), claim: this.integer('claim', 1) };
  }

  list(name: string): FieldReader[] {
    const value = this.fields[name];
    if (!Array.isArray(value)) return this.refuse(`${name} must be a list`);
    return value.map((entry: unknown) =>
      isObject(entry) ? new FieldReader(entry, this.refuse) : this.refuse(`${name} must be a list of objects`),
    );
  }

  optionalObject(name: string): FieldReader | null {
    if (this.isAbsent(name)) return null;
    const value = this.fields[name];
    return isObject(value) ? new FieldReader(value, this.refuse) : this.refuse(`${name} must be an object or null`);
  }

  private isAbsent(name: string): boolean {
    return (this.fields[name] ?? null) === null;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}

function isLimit([name, value]: [string, unknown]): boolean {
  const isNumber = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return RESOURCES.has(name) && (value === 'unlimited' || isNumber);
}

function isVariable([name, value]: [string, unknown]): boolean {
  return name !== '' && !/[=\0]/.test(name) && typeof value === 'string' && !value.includes('\0');
}
