export const SELECTION =
  'Select jobs by jid (42), range (10-20) or list (1,3,7-9); by state or a unique prefix of one (p h r f d); by failed ' +
  '(dead jobs, and jobs ended by a signal or with a nonzero exit status); by key=value; or by all. A key is a field or ' +
  'a unique prefix of one, and the value null means no value. Several jids, states and failed select the union of ' +
  'their jobs. key=value narrows this selection; on its own, it selects from all jobs.';

export const STDIN_JIDS = '- reads jids from stdin: YAML or JSON printed by rq, or lines such as 42 or jid: 42.';

export const STDIN_DEFAULT = 'Without a selection, rq reads jids from stdin if it is a pipe or a file.';
