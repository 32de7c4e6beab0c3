/** The schema version that added these tables. */
export const PLACEMENT_VERSION = 3;

/** A job that a host can claim. A claim reads the first rows of each shape. */
const IS_READY = `state = 'pending' AND gate IS NULL AND due IS NULL`;
const HAS_FAILED = `(state = 'dead' OR (state = 'finished' AND (exit_status IS NOT 0 OR reason IS NOT NULL)))`;

/** The indexes of `jobs` that placement reads. The last columns of the
 * first are there because SQLite otherwise reads the row of each job. */
export const PLACEMENT_INDEXES = `CREATE INDEX jobs_ready ON jobs (shape, priority DESC, jid, failed_starts, state, gate, due)
  WHERE ${IS_READY};
CREATE INDEX jobs_limited ON jobs (shape, priority DESC, jid, time_limit, failed_starts, state, gate, due)
  WHERE ${IS_READY} AND time_limit IS NOT NULL;
CREATE INDEX jobs_running ON jobs (runner, shape) WHERE state = 'running';
CREATE INDEX jobs_shapeless ON jobs (state DESC, jid) WHERE shape IS NULL AND state IN ('pending', 'running');
CREATE INDEX jobs_gate ON jobs (gate, state) WHERE gate IS NOT NULL;
CREATE INDEX jobs_died_of ON jobs (died_of) WHERE died_of IS NOT NULL;
CREATE INDEX jobs_by_array ON jobs (array) WHERE array IS NOT NULL;
CREATE INDEX jobs_failed_tasks ON jobs (array) WHERE array IS NOT NULL AND ${HAS_FAILED};`;

export const PLACEMENT_TABLES = `
-- What jobs request of a host and of the queue. Jobs with the same requests share a row.
CREATE TABLE shapes (
  shape    INTEGER PRIMARY KEY AUTOINCREMENT,
  spec     TEXT NOT NULL UNIQUE,  -- the requests as JSON
  top_rank INTEGER,               -- the negative priority of top_jid
  top_jid  INTEGER                -- no job of the shape that can be claimed comes before this one; null if there is none
) STRICT;
CREATE INDEX shapes_top ON shapes (top_rank, top_jid) WHERE top_jid IS NOT NULL;

-- One row for each array and sweep.
CREATE TABLE arrays (
  array     INTEGER PRIMARY KEY,  -- the jid of the first task
  tasks     INTEGER NOT NULL,
  at_most   INTEGER,              -- how many tasks may run at the same time
  max_fails INTEGER,              -- the array stops after this many failures
  stopped   TEXT                  -- when it stopped
) STRICT;
CREATE INDEX arrays_stopped ON arrays (array) WHERE stopped IS NOT NULL;

-- Limits of lanes for the whole cluster. A lane without a row has no limit.
CREATE TABLE lanes (
  name   TEXT PRIMARY KEY,
  max    INTEGER CHECK (max > 0), -- how many jobs of the lane may run at the same time
  paused INTEGER CHECK (paused = 1)
) STRICT, WITHOUT ROWID;
CREATE INDEX lanes_paused ON lanes (name) WHERE paused = 1;

-- Drained hosts claim no jobs.
CREATE TABLE hosts (
  host    TEXT PRIMARY KEY,
  drained TEXT NOT NULL,
  by      TEXT NOT NULL,          -- user and host
  reason  TEXT
) STRICT, WITHOUT ROWID;

-- Jobs that later ones have passed over. After some time, places are kept free for them.
CREATE TABLE reservations (
  jid    INTEGER PRIMARY KEY REFERENCES jobs (jid) ON DELETE CASCADE,
  passed TEXT NOT NULL,           -- since when later jobs pass it
  host   TEXT,                    -- null for the next free places of its lanes
  since  TEXT                     -- since when places are kept free; null while they are not
) STRICT;

-- Jobs of one submit with the same dependencies share a gate, which stays closed until all of them are met.
CREATE TABLE gates (
  gate     INTEGER PRIMARY KEY AUTOINCREMENT,
  died_of  INTEGER,               -- the dependency that can no longer be met
  reason   TEXT,                  -- why its jobs are dead
  is_final INTEGER CHECK (is_final = 1),  -- died_of was requeued without its dependents, which stay dead
  decision TEXT CHECK (decision IN ('open', 'dead', 'wait'))  -- what its jobs become; null when that is done
) STRICT;
CREATE INDEX gates_decided ON gates (gate) WHERE decision IS NOT NULL;

-- The dependencies of gates that are not met.
CREATE TABLE needs (
  jid  INTEGER NOT NULL,
  gate INTEGER NOT NULL REFERENCES gates (gate) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('ok', 'any', 'failed')),
  PRIMARY KEY (jid, gate, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX needs_by_gate ON needs (gate);

-- Jobs that have ended, were deleted, or have not ended after all, and whose dependents are not decided yet.
CREATE TABLE decisions (
  jid     INTEGER PRIMARY KEY,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'failed', 'deleted', 'undone')),
  gate    INTEGER NOT NULL DEFAULT 0  -- up to this one, its gates are decided
) STRICT;
`;

const newRow = (condition: string): string =>
  condition.replaceAll(/\b(?:state|gate|due|array|exit_status|reason|shape)\b/g, (name) => `new.${name}`);
const RAISE_TOP = `UPDATE shapes SET top_rank = -new.priority, top_jid = new.jid
    WHERE shape = new.shape AND (top_jid IS NULL OR (-new.priority, new.jid) < (top_rank, top_jid));`;
const REMOVE_GATE = `DELETE FROM gates WHERE gate = old.gate
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE gate IS NOT NULL AND gate = old.gate);`;
const REQUESTS = ['runners', 'lanes', 'cpus', 'memory', 'gpus', 'needs', 'owner', 'array'];

/** They keep what SQL of users, too, must not break. */
export const PLACEMENT_TRIGGERS = `
-- The top of a shape never comes after its first job.
CREATE TRIGGER jobs_added AFTER INSERT ON jobs WHEN new.shape IS NOT NULL AND ${newRow(IS_READY)} BEGIN
  ${RAISE_TOP}
END;
CREATE TRIGGER jobs_readied AFTER UPDATE OF state, priority, gate, due, shape ON jobs
  WHEN new.shape IS NOT NULL AND ${newRow(IS_READY)} BEGIN
  ${RAISE_TOP}
END;

-- A job with other requests has another shape.
CREATE TRIGGER jobs_requests AFTER UPDATE OF ${REQUESTS.join(', ')} ON jobs
  WHEN ${REQUESTS.map((name) => `new.${name} IS NOT old.${name}`).join(' OR ')} BEGIN
  UPDATE jobs SET shape = NULL WHERE jid = new.jid;
END;

-- The end of a job decides its dependents. A job that is deleted before it ends counts as failed.
CREATE TRIGGER jobs_ended AFTER UPDATE OF state, exit_status, reason ON jobs
  WHEN new.has_dependents = 1 AND new.state IN ('finished', 'dead') BEGIN
  INSERT OR REPLACE INTO decisions (jid, outcome) VALUES (new.jid, iif(${newRow(HAS_FAILED)}, 'failed', 'ok'));
END;
CREATE TRIGGER jobs_deleted AFTER DELETE ON jobs WHEN old.has_dependents = 1 AND old.state NOT IN ('finished', 'dead') BEGIN
  INSERT OR REPLACE INTO decisions (jid, outcome) VALUES (old.jid, 'deleted');
END;
CREATE TRIGGER jobs_revived AFTER UPDATE OF state ON jobs
  WHEN new.has_dependents = 1 AND old.state = 'dead' AND new.state IN ('pending', 'holding') BEGIN
  INSERT OR REPLACE INTO decisions (jid, outcome) VALUES (new.jid, 'undone');
END;

-- A gate without jobs is removed.
CREATE TRIGGER gates_left AFTER UPDATE OF gate ON jobs WHEN old.gate IS NOT NULL AND new.gate IS NOT old.gate BEGIN
  ${REMOVE_GATE}
END;
CREATE TRIGGER gates_emptied AFTER DELETE ON jobs WHEN old.gate IS NOT NULL BEGIN
  ${REMOVE_GATE}
END;

-- An array stops after a number of failures.
CREATE TRIGGER tasks_failed AFTER UPDATE OF state, exit_status, reason ON jobs
  WHEN new.array IS NOT NULL AND ${newRow(HAS_FAILED)} BEGIN
  UPDATE arrays SET stopped = new.finished WHERE array = new.array AND stopped IS NULL AND max_fails <=
    (SELECT count(*) FROM (SELECT 1 FROM jobs INDEXED BY jobs_failed_tasks
      WHERE array = new.array AND ${HAS_FAILED} LIMIT (SELECT max_fails FROM arrays WHERE array = new.array)));
END;
`;
