import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { openLog } from '../../../src/log/logger.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { waitFor } from '../../support/wait-for.ts';

test('a log resumes when its file can be written again', async () => {
  const path = join(temporaryDirectory(), 'log');
  mkdirSync(path);
  const log = openLog({ verbosity: 3, path });
  log.info('lost');
  rmdirSync(path);
  await waitFor(() => {
    log.info('written');
    return existsSync(path) && readFileSync(path, 'utf8').includes('"msg":"written"');
  });
});
