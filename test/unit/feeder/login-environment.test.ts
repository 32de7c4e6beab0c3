import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { LoginEnvironment } from '../../../src/feeder/start/login-environment.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import type { RunnerClient } from '../../../src/runner/client.ts';
import type { JobSettings } from '../../../src/runner/protocol/messages.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const { HOME } = process.env;

afterEach(() => {
  process.env['HOME'] = HOME;
});

/** A login environment whose home directory and runtime directory are new. */
function newLogin(profile: string, timeoutS?: number): LoginBench {
  const directory = temporaryDirectory();
  process.env['HOME'] = directory;
  writeFileSync(join(directory, '.profile'), profile);
  const sent: Sent[] = [];
  const client = {
    environment: async (variables: Record<string, string>, settings: JobSettings) =>
      void sent.push({ variables, settings }),
  } as unknown as RunnerClient;
  const login = new LoginEnvironment({
    runtimeDirectory: directory,
    launch: { umask: 0o27, limits: { nofile: 500 } },
    events: new FeederEvents(pino({ level: 'silent' })),
    ...(timeoutS === undefined ? {} : { timeoutS }),
  });
  return { directory, sent, client, login };
}

interface Sent {
  readonly variables: Record<string, string>;
  readonly settings: JobSettings;
}

interface LoginBench {
  readonly directory: string;
  readonly sent: Sent[];
  readonly client: RunnerClient;
  readonly login: LoginEnvironment;
}

test('the startup file of jobs is written again after something removed it', async () => {
  const { sent, client, login } = newLogin('greet() { echo hello; }\n');
  await login.sendTo(client);
  const startupFile = String(sent[0]?.variables['BASH_ENV']);
  await login.refresh(client);
  expect(sent).toHaveLength(1);
  rmSync(startupFile);
  await login.refresh(client);
  expect(sent).toHaveLength(2);
  expect(existsSync(startupFile)).toBe(true);
});

test('the umask and the soft limits are those of the launcher, or those that a profile sets', async () => {
  const { directory, sent, client, login } = newLogin('');
  await login.sendTo(client);
  expect(sent[0]?.settings).toMatchObject({ umask: 0o27, limits: { nofile: 500 } });
  writeFileSync(join(directory, '.profile'), 'umask 077; ulimit -Sn 400; ulimit -Sc 0; ulimit -Ss 4096\n');
  await login.refresh(client);
  expect(sent[1]?.settings).toMatchObject({ umask: 0o77, limits: { nofile: 400, core: 0, stack: 4096 * 1024 } });
  expect(Object.keys(sent[1]?.settings.limits ?? {})).toHaveLength(15);
});

test('what a profile that hangs has started ends with it, and the former environment stays', async () => {
  const { directory, sent, client, login } = newLogin('export SITE=here\n', 1);
  await login.sendTo(client);
  expect(login.problem).toBeUndefined();
  const seconds = `1000.${process.pid}`;
  writeFileSync(join(directory, '.profile'), `export SITE=there; sleep ${seconds}\n`);
  await login.refresh(client);
  expect(login.problem).toBe(
    'the login shell did not end within 1 s; correct the profiles of bash, such as ~/.bash_profile',
  );
  expect(sent.map(({ variables }) => variables['SITE'])).toEqual(['here', 'here']);
  const commands = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  expect(commands.filter((pid) => commandLine(pid).includes(seconds))).toEqual([]);
});

test.each([
  ['exit 0', 'ended before it had read the profiles: one of them exits, or executes another program'],
  ['exec true', 'ended before it had read the profiles: one of them exits, or executes another program'],
  ['exit 3', 'failed with exit status 3'],
  ['set -e; false', 'failed with exit status 1'],
])('a profile with "%s" is reported until it is corrected', async (profile, predicate) => {
  const { directory, sent, client, login } = newLogin(`${profile}\n`);
  const problems: (string | undefined)[] = [];
  login.onProblem = () => problems.push(login.problem);
  await login.sendTo(client);
  await login.refresh(client);
  expect(sent.at(-1)).toMatchObject({
    variables: { HOME: directory },
    settings: { umask: 0o27, limits: { nofile: 500 } },
  });
  writeFileSync(join(directory, '.profile'), 'export SITE=here\n');
  await login.refresh(client);
  const problem = `the login shell ${predicate}; correct the profiles of bash, such as ~/.bash_profile`;
  expect(problems).toEqual([problem, undefined]);
  expect(sent.at(-1)?.variables).toMatchObject({ SITE: 'here' });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // The process has ended.
    return '';
  }
}
