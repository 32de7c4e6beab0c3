import { join } from 'node:path';
import { readGenerations } from '../lease/generations.ts';
import type { DatabaseFacts } from '../queue/recovery/database-facts.ts';
import { isHotJournal } from '../queue/recovery/hot-journal.ts';
import type { Look } from '../queue/transaction/look.ts';
import { type Finding, list, notChecked, note, problem } from './finding.ts';

/** Explains the result of a look at the database. */
export function databaseFindings(found: Look<DatabaseFacts>, queueDirectory: string): Finding[] {
  switch (found.kind) {
    case 'wal':
      return [
        problem(
          `${found.why}: a program set journal_mode to WAL`,
          'hosts cannot share the index of a write-ahead log, which is in memory, and will damage the database',
          `stop all feeders, and then run: sqlite3 ${join(queueDirectory, 'db')} 'PRAGMA journal_mode = DELETE'`,
        ),
      ];
    case 'journal':
      return [
        note(
          'a writer died and left a journal',
          'the next command that reads or writes the queue rolls the journal back',
          `run: rq ${queueDirectory} list`,
        ),
      ];
    case 'locked':
      return [
        problem(
          `the database is locked: ${found.why}`,
          'no other process can use the queue while the database is locked',
          `run rq ${queueDirectory} status to see the holder of the lock; if its host is dead, run: rq ${queueDirectory} recover --break-locks`,
        ),
      ];
    case 'damaged':
      return [damaged(found.why, queueDirectory)];
    case 'newer':
      return [
        problem(found.why, 'this version of rq does not support the schema of the database', 'upgrade rq on this host'),
      ];
    case 'failed':
      return [notChecked(`the database could not be read: ${found.why}`, 'run doctor as the owner of the queue')];
    case 'seen':
      return factFindings(found.seen, queueDirectory);
  }
}

function damaged(fault: string, queueDirectory: string): Finding {
  return problem(
    `the database is damaged: ${fault}`,
    'jobs can be missing or wrong',
    `run: rq ${queueDirectory} recover`,
  );
}

function factFindings({ fault, isOlder, rotations }: DatabaseFacts, queueDirectory: string): Finding[] {
  return list(
    fault !== undefined && damaged(fault, queueDirectory),
    isOlder &&
      problem(
        'an older version of rq created the database',
        'this version of rq can read the queue, but cannot change it or feed from it',
        `upgrade rq on all hosts, and then run: rq ${queueDirectory} upgrade`,
      ),
    rotations.length > 0 &&
      note(
        `a rotation was not completed: ${rotations.join(', ')}`,
        'the rotation contains the jobs, but their files are still in the queue',
        `on a host that can access the path of the rotation, run: rq ${queueDirectory} rotate`,
      ),
  );
}

/**
 * Finds a journal that remains while no process writes. Other programs leave one in TRUNCATE or PERSIST mode. The
 * directory is read twice, and the journal counts only if the lease was free in between.
 */
export function checkKeptJournal(queueDirectory: string): Finding[] {
  const before = readGenerations(queueDirectory);
  const journal = join(queueDirectory, 'db-journal');
  if (!before.isFree || !before.names.includes('db-journal') || isHotJournal(journal)) return [];
  const after = readGenerations(queueDirectory);
  if (!after.isFree || after.highest !== before.highest || !after.names.includes('db-journal')) return [];
  return [
    problem(
      `${journal} remains while no process is writing: a program set journal_mode to TRUNCATE or PERSIST`,
      'a host that is cut off and comes back can undo transactions of other hosts',
      `change the queue only with rq, for example with rq ${queueDirectory} execute; the next change by rq removes the journal`,
    ),
  ];
}
