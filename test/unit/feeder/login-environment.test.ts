import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { LoginEnvironment } from '../../../src/feeder/start/login-environment.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import type { RunnerClient } from '../../../src/runner/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { HOME } = process.env;

afterEach(() => {
  process.env['HOME'] = HOME;
});

test('the startup file of jobs is written again after something removed it', async () => {
  const directory = temporaryDirectory();
  process.env['HOME'] = directory;
  writeFileSync(join(directory, '.profile'), 'greet() { echo hello; }\n');
  const clock = new ManualClock();
  const sent: Record<string, string>[] = [];
  const client = {
    environment: async (environment: Record<string, string>) => void sent.push(environment),
  } as unknown as RunnerClient;
  const login = new LoginEnvironment(directory, clock, new FeederEvents(pino({ level: 'silent' })));
  await login.sendTo(client);
  const startupFile = String(sent[0]?.['BASH_ENV']);
  clock.pass(61_000);
  await login.refresh(client);
  expect(sent).toHaveLength(1);
  rmSync(startupFile);
  clock.pass(61_000);
  await login.refresh(client);
  expect(sent).toHaveLength(2);
  expect(existsSync(startupFile)).toBe(true);
});
