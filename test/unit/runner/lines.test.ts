import { once } from 'node:events';
import { createServer, connect as open, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LineConnection } from '../../../src/runner/protocol/lines.ts';
import { MAX_LINE_BYTES } from '../../../src/runner/protocol/messages.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { waitFor } from '../../support/wait-for.ts';

interface Pair {
  readonly near: LineConnection;
  readonly far: Socket;
  readonly lines: string[];
  readonly events: string[];
  readonly close: () => void;
}

async function pair(): Promise<Pair> {
  const server = createServer().listen(join(temporaryDirectory(), 's'));
  await once(server, 'listening');
  const far = open(server.address() as string);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const lines: string[] = [];
  const events: string[] = [];
  const near: LineConnection = new LineConnection(socket, {
    onLine: (line) => lines.push(line),
    onTooLong: () => {
      events.push('too long');
      near.destroy();
    },
    onClose: () => events.push('closed'),
  });
  far.on('error', () => far.destroy());
  const close = (): void => {
    near.destroy();
    far.destroy();
    server.close();
  };
  return { near, far, lines, events, close };
}

test('lines are assembled from chunks of any size', async () => {
  const { far, lines, close } = await pair();
  const bytes = Buffer.from('one\nzwei mit ä\n\nvier\nfive');
  for (const byte of bytes) {
    far.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await waitFor(() => lines.length === 4);
  expect(lines).toEqual(['one', 'zwei mit ä', '', 'vier']);
  close();
});

test('a line of the maximum length is accepted, and a line that is one byte longer is refused', async () => {
  const { far, lines, events, close } = await pair();
  far.write(`${'x'.repeat(MAX_LINE_BYTES - 1)}\n`);
  await waitFor(() => lines.length === 1);
  expect(lines[0]?.length).toBe(MAX_LINE_BYTES - 1);
  far.write(`${'x'.repeat(MAX_LINE_BYTES)}\n`);
  await waitFor(() => events.includes('closed'));
  expect(events).toEqual(['too long', 'closed']);
  close();
});

test('a line that is longer than the limit in bytes is not sent', async () => {
  const { near, far, close } = await pair();
  let received = 0;
  far.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  expect(near.send('ä'.repeat(MAX_LINE_BYTES / 2))).toBe(false);
  expect(near.send('ä'.repeat(MAX_LINE_BYTES / 2 - 1))).toBe(true);
  await waitFor(() => received === MAX_LINE_BYTES - 1);
  close();
});

test('lines that are sent in one turn arrive in order before the connection ends', async () => {
  const { near, far, events, close } = await pair();
  let text = '';
  far.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  for (let index = 0; index < 1000; index += 1) near.send(String(index));
  near.end();
  expect(near.send('late')).toBe(false);
  await waitFor(() => events.includes('closed') && far.readableEnded);
  expect(text).toBe(Array.from({ length: 1000 }, (_, index) => `${index}\n`).join(''));
  close();
});
