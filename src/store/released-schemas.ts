// The text of released versions never changes: queues of users were made by it.

const JOBS = `
-- One row a job. Times are ISO 8601 in UTC; paths are relative to the queue, since each host may mount it elsewhere.
CREATE TABLE jobs (
  jid         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, also after the job is deleted
  priority    INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -2147483648 AND 2147483647),
  state       TEXT NOT NULL,
  submitted   TEXT NOT NULL,
  started     TEXT,
  finished    TEXT,
  elapsed     REAL CHECK (elapsed >= 0),          -- seconds by a monotonic clock
  submitter   TEXT NOT NULL,                      -- the host that submitted it
  owner       TEXT NOT NULL,                      -- the user who did
  runner      TEXT,                               -- the host that runs or ran it
  pid         INTEGER CHECK (pid > 0),
  exit_status INTEGER,
  signal      TEXT,
  reason      TEXT,                               -- why a dead job is dead
  attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  tag         TEXT CHECK (octet_length(tag) <= 255),
  restartable INTEGER NOT NULL DEFAULT 0 CHECK (restartable IN (0, 1)),
  runners     TEXT,                               -- hosts that alone may run it, names or globs, comma-separated
  cwd         TEXT NOT NULL,
  stdin       TEXT,
  stdout      TEXT,
  stderr      TEXT,
  data        TEXT,
  command     TEXT NOT NULL CHECK (octet_length(command) BETWEEN 1 AND 1048576),
  boot        TEXT,                               -- boot id of the host, and id of the journal that knows the attempt
  journal     TEXT,
  CHECK (state IN ('pending', 'holding', 'running', 'finished', 'dead')),
  CHECK (state NOT IN ('pending', 'holding') OR coalesce(started, finished, elapsed, runner, pid, exit_status, signal,
    reason, boot, journal) IS NULL),
  CHECK (state <> 'running' OR (started IS NOT NULL AND runner IS NOT NULL AND boot IS NOT NULL AND journal IS NOT NULL
    AND attempt > 0 AND coalesce(finished, elapsed, exit_status, signal, reason) IS NULL)),
  CHECK (state NOT IN ('finished', 'dead') OR (started IS NOT NULL AND finished IS NOT NULL AND runner IS NOT NULL
    AND attempt > 0)),
  CHECK (state <> 'finished' OR ((exit_status IS NULL) <> (signal IS NULL) AND reason IS NULL)),
  CHECK (state <> 'dead' OR reason IS NOT NULL)
) STRICT;

-- A claim reads these two and nothing else, however many jobs are finished.
CREATE INDEX jobs_claimable ON jobs (priority DESC, jid) WHERE state = 'pending' AND runners IS NULL;
CREATE INDEX jobs_constrained ON jobs (runners, priority DESC, jid) WHERE state = 'pending' AND runners IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_tag ON jobs (tag) WHERE tag IS NOT NULL;
CREATE INDEX jobs_finished ON jobs (finished, elapsed, exit_status) WHERE state = 'finished';
`;

const ATTEMPTS = `
-- Attempts that were followed by another; the latest one of a job is in its row of jobs.
CREATE TABLE earlier_attempts (
  jid         INTEGER NOT NULL REFERENCES jobs (jid) ON DELETE CASCADE,
  attempt     INTEGER NOT NULL,
  runner      TEXT NOT NULL,
  pid         INTEGER,
  started     TEXT NOT NULL,
  finished    TEXT NOT NULL,
  elapsed     REAL,
  exit_status INTEGER,
  signal      TEXT,
  reason      TEXT,
  PRIMARY KEY (jid, attempt)
) STRICT, WITHOUT ROWID;

-- One row an attempt.
CREATE VIEW attempts AS
  SELECT jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal, reason FROM earlier_attempts
  UNION ALL
  SELECT jid, attempt, runner, pid, started, finished, elapsed, exit_status, signal, reason FROM jobs
  WHERE started IS NOT NULL;
`;

const QUEUE = `
-- What 'rq configure' shows and sets.
CREATE TABLE attributes (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which transactions were committed, by the generation of the lease that they held. The highest one is the fence.
CREATE TABLE operations (
  generation INTEGER PRIMARY KEY,
  operation  TEXT NOT NULL,
  committed  TEXT NOT NULL
) STRICT;
`;

const ROTATIONS = `
-- Rotations whose jobs were deleted here and that are not known to be in place yet: 'rq rotate' finishes them.
CREATE TABLE rotations (
  id        TEXT PRIMARY KEY,
  partial   TEXT NOT NULL,                        -- where the complete rotation lies, and where it is to be moved to
  path      TEXT NOT NULL,
  files     TEXT NOT NULL,                        -- what is left to be removed of the queue, as a JSON list of names
  committed TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;

/** The migrations from version 0 to 1 and from 1 to 2. */
export const RELEASED_MIGRATIONS: readonly string[] = [JOBS + ATTEMPTS + QUEUE, ROTATIONS];
