export const SELECTION =
  'A selection consists of jids (42), ranges (10-20), lists (1,3,7-9), states or unique prefixes of states (p h r f ' +
  'd), "failed", KEY=VALUE terms, or "all". "failed" selects dead jobs, jobs that were ended by a signal, and jobs ' +
  'with a nonzero exit status. KEY is a field or a unique prefix of a field; the value "null" means no value. Jids, ' +
  'states and "failed" select the union of their jobs. A KEY=VALUE term narrows this selection; without other ' +
  'selectors, it selects from all jobs.';

export const STDIN_JIDS =
  'The argument "-" reads jids from stdin: YAML or JSON printed by rq, or lines such as "42" or "jid: 42".';

export const STDIN_DEFAULT = 'Without a selection, rq reads jids from stdin if stdin is a pipe or a file.';
