import type { CommandSpec } from '../parse/command-spec.ts';
import { SNAPSHOT } from './job-words.ts';

/** Commands that take SQL. */
export const SQL_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'query',
    short: ['q'],
    summary: 'print the jobs for which an expression is true',
    positionals: '[EXPRESSION…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [SNAPSHOT],
    description: [
      'The expression is one of SQL over the fields of a job, as list prints them; or terms without spaces, quotes and parentheses, all of which ' +
        'must be true: key=value, and ==, !=, <, <=, >, >=, =~ and !~ (SQL LIKE: % stands for any text) in place of =. ' +
        'null stands for no value. Without words the expression is read from stdin.',
      'The database is opened read-only. Jobs are printed as list prints them.',
    ],
    examples: [
      { type: 'rq q query tag=night exit_status!=0', does: 'what ended at night with another status than 0' },
      { type: 'rq q query "state = \'dead\' or exit_status > 1"', does: 'any SQL expression' },
      { type: "rq q query 'command=~%big.txt%' --fields jid,state", does: 'by a part of the command' },
      { type: 'rq q query "started > \'2026-11-21\'" --json', does: 'times compare as text' },
    ],
    load: () => import('../commands/jobs/query.ts'),
  },
  {
    name: 'execute',
    short: ['e'],
    summary: 'run an SQL statement on the database',
    positionals: '[SQL…]',
    maxPositionals: Number.POSITIVE_INFINITY,
    queue: 'named',
    options: [],
    description: [
      'Runs one SQL statement in a transaction of its own and prints its rows, or how many rows it changed. db.schema in ' +
        'the queue describes the tables. Constraints hold, and tables of your own are welcome; what the queue rests on ' +
        'cannot be dropped. Files of jobs are not touched: delete jobs with delete. Without words the statement is read ' +
        'from stdin.',
    ],
    examples: [
      { type: "rq q execute 'select tag, count(*) as jobs from jobs group by tag'", does: 'a count a tag' },
      { type: "rq q execute 'select * from attempts where jid = 42'", does: 'all attempts of a job' },
      { type: "rq q execute \"update jobs set priority = 9 where tag = 'x' and state = 'pending'\"", does: 'a change' },
    ],
    load: () => import('../commands/jobs/execute.ts'),
  },
];
