import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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

test('a log whose directory cannot be created again uses no processor time, and resumes later', async () => {
  const home = join(temporaryDirectory(), 'home');
  const path = join(home, 'logs', 'log');
  mkdirSync(path, { recursive: true });
  const log = openLog({ verbosity: 3, path });
  // The log has found that its path is a directory.
  await waitFor(() => !process.getActiveResourcesInfo().includes('FSReqPromise'));
  rmSync(home, { recursive: true });
  symlinkSync('/proc', home);
  const startMs = performance.now();
  const before = process.cpuUsage();
  await waitFor(() => {
    log.info('lost');
    return performance.now() - startMs > 1_000;
  });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1_000).toBeLessThan(300);
  rmSync(home);
  await waitFor(() => {
    log.info('written');
    return existsSync(path) && readFileSync(path, 'utf8').includes('"msg":"written"');
  });
});
