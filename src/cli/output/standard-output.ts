import { writeSync } from 'node:fs';
import { systemClock } from '../../job/clock.ts';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import type { TextOutput } from '../parse/command-call.ts';

/** The reader of stdout went away; rq then ends quietly. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** How long a reader is given that has made the pipe non-blocking and is slow. */
const FULL_MS = 5;

/**
 * Writes to stdout, no faster than it is read: as Node does for files, terminals and pipes, but without the streams and
 * sockets that it loads for that. Throws OutputClosed at a closed pipe, NO_SPACE or IO otherwise.
 */
export const standardOutput: TextOutput = {
  write: async (data) => {
    let bytes = typeof data === 'string' ? Buffer.from(data) : data;
    while (bytes.length > 0) {
      const written = writeSome(bytes);
      if (written === 0) await systemClock.sleep(FULL_MS);
      bytes = bytes.subarray(written);
    }
  },
};

function writeSome(bytes: Uint8Array): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return 0;
    throw outputFault(error);
  }
}

/** Writes every piece of text, each when the one before is out. */
export async function writeAll(output: TextOutput, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const piece of pieces) await output.write(piece);
}

function outputFault(error: unknown): Error {
  const code = errorCode(error);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET') return new OutputClosed();
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'NO_SPACE' : 'IO';
  return new RqError(kind, `cannot write to stdout: ${errorMessage(error)}`, {
    cause: error,
    facts: { stream: 'stdout' },
  });
}
