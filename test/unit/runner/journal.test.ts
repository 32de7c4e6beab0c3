import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Journal } from '../../../src/runner/journal/journal.ts';
import type { JournaledAttempt } from '../../../src/runner/journal/journal-entries.ts';
import { RunnerLog } from '../../../src/runner/log.ts';
import type { Exit } from '../../../src/runner/protocol/messages.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const STARTED = '2026-01-02T03:04:05.678Z';

const LIMITS = {
  timeLimitMs: 7_200_000,
  warn: { signal: 'SIGUSR2', beforeMs: 60_000 },
  memoryBytes: 2 ** 32,
  graceMs: 0,
} as const;

const HOLDING = { devices: ['GPU-a', 'GPU-b'], resources: { licence: 2 } };

function open(directory: string, boot = 'boot', compactAbove = 1000): Journal {
  // No file is open with this descriptor, so nothing is logged.
  return new Journal(directory, boot, new RunnerLog(() => STARTED, 1_000_000), compactAbove);
}

function attempt(jid: number): JournaledAttempt {
  const fields = { jid, claim: 1, started: STARTED, monotonic_ms: 12.5, serial: 100 + jid };
  return { ...fields, weight: 2, limits: LIMITS, holding: HOLDING };
}

function exit(jid: number): Exit {
  const end = {
    finished: STARTED,
    elapsed: 0.5,
    exit_status: 0,
    signal: null,
    reason: null,
    limit: null,
    isLost: false,
  };
  const usage = { not_started: null, max_rss: 1_048_576, cpu_time: 0.25, left_behind: 0 };
  return { jid, claim: 1, pid: 4711, started: STARTED, ...end, ...usage };
}

function lines(directory: string): string[] {
  return readFileSync(join(directory, 'journal'), 'utf8').trimEnd().split('\n');
}

test('spawns and all earlier entries are in the file when recordSpawns returns', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const first = attempt(1);
  journal.recordSpawns([first]);
  journal.recordStart(first, { pid: 4711, start_time: 99 });
  expect(lines(directory)).toHaveLength(2);
  journal.recordSpawns([attempt(2)]);
  expect(lines(directory).map((line) => JSON.parse(line).type)).toEqual([undefined, 'spawn', 'started', 'spawn']);
});

test('a reopened journal has the same id and the same attempts', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const [first, second, third] = [attempt(1), attempt(2), attempt(3)];
  journal.recordSpawns([first, second, third]);
  journal.recordStart(first, { pid: 4711, start_time: 99 });
  journal.recordStart(second, { pid: 4712, start_time: null });
  journal.recordExit(first, exit(1));
  journal.flush();
  const again = open(directory);
  expect(again.id).toBe(journal.id);
  expect([...again.attempts.values()]).toEqual([
    { ...attempt(1), process: { pid: 4711, start_time: 99 }, exit: exit(1) },
    { ...attempt(2), process: { pid: 4712, start_time: null } },
    attempt(3),
  ]);
});

test('pauses, warnings and the limits that were exceeded are in a reopened and in a rewritten journal', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const [first, second] = [attempt(1), attempt(2)];
  journal.recordSpawns([first, second]);
  journal.recordPause(first, { sinceMs: 20.5, earlierMs: 0 });
  journal.recordPause(first, { sinceMs: null, earlierMs: 1.5 });
  journal.recordPause(second, { sinceMs: 30.5, earlierMs: 0 });
  journal.recordWarning(first);
  journal.recordHit(first, { limit: 'time', reason: 'time limit of 2h', monotonic_ms: 99.5 });
  journal.flush();
  const changes = {
    pause: { sinceMs: null, earlierMs: 1.5 },
    isWarned: true,
    hit: { limit: 'time', reason: 'time limit of 2h', monotonic_ms: 99.5 },
  };
  const expected = [
    { ...attempt(1), ...changes },
    { ...attempt(2), pause: { sinceMs: 30.5, earlierMs: 0 } },
  ];
  // Each opening rewrites the file.
  for (let time = 0; time < 2; time++) expect([...open(directory).attempts.values()]).toEqual(expected);
});

test('an entry of a journal without limits and resources is an attempt without them', () => {
  const directory = temporaryDirectory();
  const { id } = open(directory);
  const entry = { type: 'spawn', jid: 5, claim: 1, started: STARTED, monotonic_ms: 1, serial: 7, weight: 2 };
  appendFileSync(join(directory, 'journal'), `${JSON.stringify(entry)}\n`);
  const again = open(directory);
  expect(again.id).toBe(id);
  const { type: _, ...fields } = entry;
  expect([...again.attempts.values()]).toEqual([{ ...fields, limits: {}, holding: { devices: [], resources: {} } }]);
});

test('only attempts that have ended can be acknowledged', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const [first, second] = [attempt(1), attempt(2)];
  journal.recordSpawns([first, second]);
  journal.recordExit(first, exit(1));
  journal.acknowledge([first, second, attempt(3)]);
  journal.flush();
  expect([...open(directory).attempts.keys()]).toEqual(['2.1']);
});

test('a journal with more acknowledged attempts than others is rewritten without them', () => {
  const directory = temporaryDirectory();
  const journal = open(directory, 'boot', 3);
  const attempts = [1, 2, 3, 4, 5, 6].map(attempt);
  for (const each of attempts) {
    journal.recordSpawns([each]);
    if (each.jid < 6) journal.recordExit(each, exit(each.jid));
  }
  journal.acknowledge(attempts.slice(0, 3));
  journal.flush();
  expect(lines(directory).length).toBeGreaterThan(12);
  journal.acknowledge(attempts.slice(3));
  expect(lines(directory)).toHaveLength(2);
  journal.recordSpawns([attempt(7)]);
  expect([...open(directory).attempts.keys()]).toEqual(['6.1', '7.1']);
});

test('a journal that is truncated at any byte is read up to its last complete line', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  journal.recordSpawns([1, 2, 3].map(attempt));
  const whole = readFileSync(join(directory, 'journal'), 'utf8');
  const headerLength = whole.indexOf('\n') + 1;
  for (let length = headerLength; length <= whole.length; length += 1) {
    const torn = whole.slice(0, length);
    writeFileSync(join(directory, 'journal'), torn);
    const again = open(directory);
    expect(again.attempts.size).toBe(torn.split('\n').length - 2);
    expect(again.id).toBe(journal.id);
  }
});

test('a damaged journal keeps its valid entries and gets a new id', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  journal.recordSpawns([attempt(1)]);
  appendFileSync(join(directory, 'journal'), 'garbage\n{"type":"exit","jid":9}\n');
  const again = open(directory);
  expect([...again.attempts.keys()]).toEqual(['1.1']);
  expect(again.id).not.toBe(journal.id);
  expect(again.previousId).toBe(journal.id);
});

test('an invalid journal is replaced', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'journal'), 'garbage\n');
  expect(open(directory).attempts.size).toBe(0);
});

test('of a journal of an earlier boot, the exits are kept, and the id is new', () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const ended = attempt(2);
  journal.recordSpawns([attempt(1), ended, attempt(3)]);
  journal.recordExit(ended, exit(2));
  journal.flush();
  const later = open(directory, 'later boot');
  expect(later.id).not.toBe(journal.id);
  expect(later.previousId).toBeUndefined();
  expect([...later.attempts.keys()]).toEqual(['2.1']);
  // The next runner of that boot has the same journal.
  const again = open(directory, 'later boot');
  expect([again.id, again.attempts.get('2.1')?.exit]).toEqual([later.id, exit(2)]);
});

test('a sync that overlaps with the rewriting of the file succeeds', async () => {
  const directory = temporaryDirectory();
  const journal = open(directory);
  const syncs = [1, 2, 3].map((jid) => {
    journal.recordSpawns([attempt(jid)]);
    const synced = journal.sync();
    journal.compact();
    return synced;
  });
  await Promise.all(syncs);
  expect([...open(directory).attempts.keys()]).toEqual(['1.1', '2.1', '3.1']);
});
