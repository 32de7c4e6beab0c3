import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { RunnerHarness } from './runner-harness.ts';

/** A hello that a client accepts. */
export const HELLO_LINE = '{"type":"hello","protocol":2,"version":"1","pid":1,"journal":"a","boot":"b"}\n';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Listens on the runner's socket. Sends the lines to every client, then calls `behave` with the connection. */
export async function fakeRunner(
  harness: RunnerHarness,
  lines: readonly string[],
  behave: (socket: Socket) => void = () => undefined,
): Promise<void> {
  mkdirSync(harness.directory, { mode: 0o700 });
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    for (const line of lines) socket.write(line);
    behave(socket);
  });
  servers.push(server);
  server.listen(join(harness.directory, 'runner.sock'));
  await once(server, 'listening');
}
