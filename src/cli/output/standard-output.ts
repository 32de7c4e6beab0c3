import { writeSync } from 'node:fs';
import { systemClock } from '../../job/clock.ts';
import { errorCode, errorMessage, RqError } from '../../job/errors.ts';
import type { TextOutput } from '../parse/command-call.ts';

/** The reader closed stdout; rq then ends without a message. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** How long to wait for space in a pipe that its reader made non-blocking. */
const PIPE_FULL_MS = 5;

export const standardOutput = descriptorOutput(1, 'stdout');
/** For the stderr of a job. Messages of rq go to `Diagnostics`. */
export const standardError = descriptorOutput(2, 'stderr');

/**
 * Writes synchronously to a descriptor, without the stream modules that `process.stdout` loads. Throws OutputClosed for a
 * closed pipe, otherwise NO_SPACE or IO.
 */
function descriptorOutput(descriptor: 1 | 2, stream: string): TextOutput {
  return {
    write: async (data) => {
      let bytes = typeof data === 'string' ? Buffer.from(data) : data;
      while (bytes.length > 0) {
        const written = writeSome(descriptor, bytes, stream);
        if (written === 0) await systemClock.sleep(PIPE_FULL_MS);
        bytes = bytes.subarray(written);
      }
    },
  };
}

function writeSome(descriptor: 1 | 2, bytes: Uint8Array, stream: string): number {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return 0;
    throw outputFault(error, stream);
  }
}

/** Writes all pieces in order. */
export async function writeAll(output: TextOutput, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const piece of pieces) await output.write(piece);
}

function outputFault(error: unknown, stream: string): Error {
  const code = errorCode(error);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET') return new OutputClosed();
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'NO_SPACE' : 'IO';
  return new RqError(kind, `cannot write to ${stream}: ${errorMessage(error)}`, {
    cause: error,
    facts: { stream },
  });
}
