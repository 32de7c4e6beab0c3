export const SELECTION =
  'A selection consists of jids (42), ranges (10-20), lists (1,3,7-9), states, "failed", KEY=VALUE terms, or "all". ' +
  'A unique prefix of a state is enough (p h r f d). ' +
  '"failed" selects dead jobs, jobs that were ended by a signal or by rq, and jobs with a nonzero exit status. ' +
  'KEY is a field or a unique prefix of a field; the value "null" means no value. ' +
  'For a field that contains times, a date selects the whole day. ' +
  'rq selects every job that matches at least one of the jids, the states and "failed". ' +
  'KEY=VALUE terms narrow the selection. ' +
  'If a selection contains only KEY=VALUE terms, rq selects from all jobs.';

export const STDIN_JIDS =
  'With the argument "-", rq reads jids from stdin. ' +
  'The input can be YAML or JSON as printed by rq, or one jid per line.';

export const STDIN_DEFAULT = 'Without a selection, rq reads jids from stdin if stdin is a pipe or a file.';
