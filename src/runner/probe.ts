import { connect } from 'node:net';
import { RqError } from '../job/errors.ts';
import { LineConnection } from './protocol/lines.ts';
import type { ServerHello } from './protocol/messages.ts';
import { parseServerMessage } from './protocol/replies.ts';

/** The path of the runner's socket. Throws RUNNER if it is longer than unix(7) allows. */
export function socketPath(directory: string): string {
  return pathOf(directory, 'runner.sock');
}

/** The path of the starter's socket. Throws RUNNER if it is longer than unix(7) allows. */
export function starterSocketPath(directory: string): string {
  return pathOf(directory, 'starter.sock');
}

function pathOf(directory: string, name: string): string {
  const path = `${directory}/${name}`;
  if (Buffer.byteLength(path) <= 107) return path;
  throw new RqError('RUNNER', `the path of the socket ${path} is longer than 107 bytes: set RQ_RUNTIME_DIR`, {
    facts: { directory },
  });
}

/** The hello of a runner, `silent` if a runner sent none in time, undefined if there is no runner. */
export type Probe = ServerHello | 'silent' | undefined;

/** Connects to a runner, waits for its hello and disconnects. The client of the runner stays connected. */
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
        found = parseHello(line);
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

function parseHello(line: string): ServerHello | undefined {
  try {
    const message = parseServerMessage(line);
    return message.type === 'hello' ? message : undefined;
  } catch (error) {
    if (error instanceof RqError) return undefined;
    throw error;
  }
}
