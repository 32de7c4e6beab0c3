import { connect } from 'node:net';
import { RqError } from '../job/errors.ts';
import { LineConnection } from './protocol/lines.ts';
import type { ServerHello } from './protocol/protocol.ts';
import { parseServerMessage } from './protocol/replies.ts';

/** Where a runner listens. Throws RUNNER for a path that is too long for a socket (unix(7)). */
export function socketPath(directory: string): string {
  const path = `${directory}/runner.sock`;
  if (Buffer.byteLength(path) <= 107) return path;
  throw new RqError('RUNNER', `the path of the socket ${path} is longer than 107 bytes: set RQ_RUNTIME_DIR`, {
    facts: { directory },
  });
}

/** What a probe found: the hello of a runner, one that took the connection and did not answer in time, or nobody. */
export type Probe = ServerHello | 'silent' | undefined;

/** Asks who runs there, without disturbing its client; waits at most `timeoutMs` for the answer. */
export function probeRunner(directory: string, timeoutMs: number): Promise<Probe> {
  const path = socketPath(directory);
  return new Promise((resolve) => {
    let found: Probe;
    const timer = setTimeout(() => {
      found = 'silent';
      connection.destroy();
    }, timeoutMs);
    const connection = new LineConnection(connect(path), {
      onLine: (line) => {
        found = helloOf(line);
        connection.destroy();
      },
      onTooLong: () => connection.destroy(),
      onClose: () => {
        clearTimeout(timer);
        resolve(found);
      },
    });
  });
}

function helloOf(line: string): ServerHello | undefined {
  try {
    const message = parseServerMessage(line);
    return message.type === 'hello' ? message : undefined;
  } catch (error) {
    if (error instanceof RqError) return undefined;
    throw error;
  }
}
