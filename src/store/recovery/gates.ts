import type { Connection } from '../connection.ts';

const ADD_MISSING = `INSERT INTO main.gates (gate)
  SELECT DISTINCT gate FROM main.jobs WHERE gate IS NOT NULL AND gate NOT IN (SELECT gate FROM main.gates)`;
/** No job has the jid 0. */
const BLOCK = `INSERT OR IGNORE INTO main.needs (jid, gate, kind)
  SELECT 0, gate, 'ok' FROM main.gates WHERE decision IS NOT 'open'`;
const COUNT_BLOCKED = `SELECT count(*) AS jobs FROM main.jobs JOIN main.needs USING (gate)
  WHERE needs.jid = 0 AND state IN ('pending', 'holding')`;
const ADD_DECISIONS = `INSERT OR IGNORE INTO main.decisions (jid, outcome)
  SELECT DISTINCT needs.jid, CASE WHEN jobs.jid IS NULL THEN 'deleted'
    WHEN state = 'finished' AND exit_status IS 0 AND jobs.reason IS NULL THEN 'ok' ELSE 'failed' END
  FROM main.needs CROSS JOIN main.gates USING (gate) LEFT JOIN main.jobs ON jobs.jid = needs.jid
  WHERE needs.jid > 0 AND gates.died_of IS NULL AND (jobs.jid IS NULL OR state IN ('finished', 'dead'))`;

/**
 * Completes the gates of a recovered database. If not all of them could be read, no gate opens: each gets a dependency that
 * is never met, until a user changes the dependencies of its jobs. Returns the number of these jobs.
 */
export function repairGates(connection: Connection, areWhole: boolean): number {
  const { changes } = connection.run(ADD_MISSING);
  connection.run(ADD_DECISIONS);
  if (areWhole && changes === 0) return 0;
  connection.run(BLOCK);
  return Number(connection.get(COUNT_BLOCKED)?.['jobs']);
}
