import type { Writable } from 'node:stream';
import { errorCode, RqError } from '../job/errors.ts';
import type { TextOutput } from './mode-call.ts';

/** The reader of stdout went away; rq then ends quietly. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Writes to a stream no faster than it is read. Throws OutputClosed at a closed pipe, NO_SPACE or IO otherwise. */
export function streamOutput(stream: Writable): TextOutput {
  // Each failed write says so to its callback; without a listener the stream would throw it as well.
  stream.on('error', () => undefined);
  return {
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => {
          if (error == null) resolve();
          else reject(outputFault(error));
        });
      }),
  };
}

/** Writes every piece of text, each when the one before is out. */
export async function writeAll(output: TextOutput, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  for await (const piece of pieces) await output.write(piece);
}

function outputFault(error: Error): Error {
  const code = errorCode(error);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED' || code === 'ECONNRESET') return new OutputClosed();
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'NO_SPACE' : 'IO';
  return new RqError(kind, `cannot write to stdout: ${error.message}`, { cause: error, facts: { stream: 'stdout' } });
}
