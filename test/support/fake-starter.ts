import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { FrameReader, FrameWriter } from '../../src/runner/start/frames.ts';
import type { RunnerHarness } from './runner-harness.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

export type Send = (...fields: string[]) => void;

/** Listens on the starter's socket, so that a runner connects to it. Calls `behave` with each request. */
export async function fakeStarter(
  harness: RunnerHarness,
  behave: (request: readonly string[], send: Send, socket: Socket) => void,
): Promise<void> {
  mkdirSync(harness.directory, { mode: 0o700 });
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    const writer = new FrameWriter();
    const send: Send = (...fields) => {
      writer.add(fields);
      socket.write(writer.take());
    };
    const reader = new FrameReader((request) => behave(request, send, socket));
    socket.on('data', (chunk: Buffer) => reader.read(chunk));
  });
  servers.push(server);
  server.listen(join(harness.directory, 'starter.sock'));
  await once(server, 'listening');
}

/** Replies to `hello` with these messages as the list. */
export function replyToHello([type]: readonly string[], send: Send, ...list: string[][]): void {
  if (type !== 'hello') return;
  send('hello', '1', '1');
  for (const message of list) send(...message);
  send('listed');
}
