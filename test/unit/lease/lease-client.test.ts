import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/job/clock.ts';
import { LeaseClient } from '../../../src/lease/lease-client.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const umask = process.umask();

afterEach(() => void process.umask(umask));

test('a group can see the lease of its queue although the umask changed after the queue was opened', async () => {
  const directory = temporaryDirectory();
  process.umask(0o007);
  const client = new LeaseClient(directory, { clock: systemClock, isShared: true });
  process.umask(0o077);
  const lease = await client.acquire({ timeoutMs: 0 });
  expect(statSync(join(directory, 'lease.1')).mode & 0o777).toBe(0o770);
  lease.release();
});
