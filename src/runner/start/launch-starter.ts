import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { RqError } from '../../job/errors.ts';
import { starterSocketPath } from '../probe.ts';
import { findProgram } from './programs.ts';
import { systemMessage } from './start-failure.ts';
import { StarterClient } from './starter-client.ts';

const PROGRAM = fileURLToPath(new URL('rq-starter', import.meta.url));
/** Longer than the starter waits for its lock. */
const READY_MS = 20_000;

/** Connects to the starter of a runtime directory, and launches one if none runs. Throws RUNNER. */
export async function connectStarter(directory: string, onLost: (cause: string) => void): Promise<StarterClient> {
  const path = starterSocketPath(directory);
  const existing = await StarterClient.connect(path, onLost);
  if (existing !== undefined) return existing;
  await launchStarter(directory);
  const launched = await StarterClient.connect(path, onLost);
  if (launched === undefined) throw new RqError('RUNNER', `the starter at ${path} ended when this runner connected`);
  return launched;
}

/** Starts a detached starter, which outlives this process. Resolves when it accepts connections. Throws RUNNER. */
function launchStarter(directory: string): Promise<void> {
  const bash = findProgram('bash') ?? '/bin/bash';
  const child = spawn(PROGRAM, [directory, bash], { cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  let timer: NodeJS.Timeout | undefined;
  return new Promise<void>((resolve, reject) => {
    const fail = (cause: string): void =>
      reject(new RqError('RUNNER', `cannot start jobs: ${PROGRAM} does not start (${cause}); run npm install again`));
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      fail(`it was not ready within ${READY_MS / 1000} s`);
    }, READY_MS);
    child.once('error', (error) => fail(systemMessage(error)));
    child.once('exit', (status, signal) =>
      fail(`it ended with ${status === null ? signal : `exit status ${status}`}, see the lines above`),
    );
    child.stdout.once('data', () => resolve());
  }).finally(() => {
    clearTimeout(timer);
    child.stdout.destroy();
    child.unref();
  });
}
