import { join } from 'node:path';
import { readGenerations } from '../lease/generations.ts';
import type { DatabaseFacts } from '../queue/recovery/database-facts.ts';
import { isHotJournal } from '../queue/recovery/hot-journal.ts';
import type { Look } from '../queue/transaction/look.ts';
import { type Finding, notChecked, note, problem } from './finding.ts';

/** What a look at the database of a queue means. */
export function judgeDatabase(found: Look<DatabaseFacts>, queueDirectory: string): Finding[] {
  const recover = `run: rq ${queueDirectory} recover`;
  switch (found.kind) {
    case 'wal':
      return [
        problem(
          `${found.why}: somebody set journal_mode to WAL`,
          'that log is kept in memory that hosts do not share: they will damage the database',
          `stop all feeders, then: sqlite3 ${join(queueDirectory, 'db')} 'PRAGMA journal_mode = DELETE'`,
        ),
      ];
    case 'journal':
      return [
        note('a writer died and left a journal', 'whoever writes next rolls it back', `run: rq ${queueDirectory} list`),
      ];
    case 'locked':
      return [
        problem(
          `the database is locked: ${found.why}`,
          'nobody else can use the queue meanwhile',
          `see who it is with: rq ${queueDirectory} status; if its host is dead: rq ${queueDirectory} recover --break-locks`,
        ),
      ];
    case 'damaged':
      return [problem(`the database is damaged: ${found.why}`, 'jobs are missing or wrong', recover)];
    case 'newer':
      return [problem(found.why, 'this rq does not know how to use it', 'upgrade rq on this host')];
    case 'failed':
      return [notChecked(`the database could not be read: ${found.why}`, 'run it as the owner of the queue')];
    case 'seen':
      return judgeFacts(found.seen, queueDirectory);
  }
}

function judgeFacts({ fault, isOlder, rotations }: DatabaseFacts, queueDirectory: string): Finding[] {
  const findings: (Finding | false)[] = [
    fault !== undefined &&
      problem(`the database is damaged: ${fault}`, 'jobs are missing or wrong', `run: rq ${queueDirectory} recover`),
    isOlder &&
      note(
        'an older rq made the database',
        'the next change by this rq brings it up to date, and older feeders cannot use it any more',
        'upgrade rq on all hosts',
      ),
    rotations.length > 0 &&
      note(
        `a rotation was not brought to its end: ${rotations.join(', ')}`,
        'its jobs are safe in it, and their files still in the queue too',
        `run on a host that sees that place: rq ${queueDirectory} rotate`,
      ),
  ];
  return findings.filter((finding): finding is Finding => finding !== false);
}

/**
 * Finds a journal that stays when nobody writes: only programs that are not rq make such, in TRUNCATE or PERSIST mode. It
 * is looked for twice, and counts if the lease was free meanwhile.
 */
export function checkKeptJournal(queueDirectory: string): Finding[] {
  const before = readGenerations(queueDirectory);
  const journal = join(queueDirectory, 'db-journal');
  if (!before.isFree || !before.names.includes('db-journal') || isHotJournal(journal)) return [];
  const after = readGenerations(queueDirectory);
  if (!after.isFree || after.highest !== before.highest || !after.names.includes('db-journal')) return [];
  return [
    problem(
      `${journal} stays when nobody writes: a program set journal_mode to TRUNCATE or PERSIST`,
      'a host that is cut off and comes back can then undo what others committed',
      `change the queue by rq only: rq ${queueDirectory} execute; rq removes the journal with its next change`,
    ),
  ];
}
