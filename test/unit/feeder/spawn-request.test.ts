import { expect, test } from 'vitest';
import { spawnRequest } from '../../../src/feeder/start/spawn-request.ts';
import { claimJobs } from '../../../src/store/claim/claims.ts';
import { memoryDatabase } from '../../support/old-queue.ts';
import { addJob, claimRequest, submission } from '../../support/queue.ts';

const BY = { host: 'h', boot: 'b', journal: 'j', now: '2026-01-01T00:00:00.000Z' };

test('the directory is revalidated for jobs that depend on others, and for no other job', () => {
  const connection = memoryDatabase();
  connection.migrate();
  for (const after of [null, '1']) addJob(connection, submission('true', { after }));
  const { claimed } = claimJobs(connection, BY, claimRequest(2));
  const settings = { queueDirectory: '/q', login: {}, gpus: undefined, killGraceMs: 1 };
  expect(claimed.map((job) => spawnRequest(job, settings).revalidate)).toEqual([undefined, true]);
  connection.close();
});
