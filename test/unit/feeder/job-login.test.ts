import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { JobLogin } from '../../../src/feeder/start/job-login.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import type { RunnerClient } from '../../../src/runner/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { HOME } = process.env;

afterEach(() => {
  process.env['HOME'] = HOME;
});

test('What the login left for jobs to read is made again where one that cleans up removed it', async () => {
  const directory = temporaryDirectory();
  process.env['HOME'] = directory;
  writeFileSync(join(directory, '.profile'), 'greet() { echo hello; }\n');
  const clock = new ManualClock();
  const given: Record<string, string>[] = [];
  const client = {
    environment: async (environment: Record<string, string>) => void given.push(environment),
  } as unknown as RunnerClient;
  const login = new JobLogin(directory, clock, new FeederEvents(pino({ level: 'silent' })));
  await login.give(client);
  const startupFile = String(given[0]?.['BASH_ENV']);
  clock.pass(61_000);
  await login.refresh(client);
  expect(given).toHaveLength(1);
  rmSync(startupFile);
  clock.pass(61_000);
  await login.refresh(client);
  expect(given).toHaveLength(2);
  expect(existsSync(startupFile)).toBe(true);
});
