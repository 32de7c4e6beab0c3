import { RqError } from '../../job/errors.ts';
import type { OptionValue } from './option-values.ts';

type Values = ReadonlyMap<string, OptionValue>;

/** The options for the form of the output. Only `--json` and `--full` can be combined. */
const FORMS = ['json', 'full', 'plain', 'table'] as const;
type Form = (typeof FORMS)[number];

/** The options that apply by default, without forms that contradict one on the command line. */
export function withoutContradictions(defaults: Values, given: Values): Values {
  const isOverridden = (form: Form): boolean => FORMS.some((other) => given.has(other) && contradict(form, other));
  const dropped = new Set<string>(FORMS.filter(isOverridden));
  return new Map([...defaults].filter(([name]) => !dropped.has(name)));
}

/** Throws USAGE for two forms that contradict each other. */
export function refuseContradictions(values: Values): void {
  const given = FORMS.filter((form) => values.has(form));
  for (const form of given) {
    const other = given.find((each) => contradict(form, each));
    if (other === undefined) continue;
    throw new RqError('USAGE', `--${other} and --${form} exclude each other; give only one of them`);
  }
}

function contradict(form: Form, other: Form): boolean {
  const isAlone = (each: Form): boolean => each === 'plain' || each === 'table';
  return form !== other && (isAlone(form) || isAlone(other));
}
