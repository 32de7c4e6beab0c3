import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorMessage, RqError } from '../../job/errors.ts';
import type { CommandCall, InputStream } from '../parse/command-call.ts';
import { withPrivateDirectory } from '../private-directory.ts';

/**
 * Copies an input to a temporary file, hands its path to the work, and removes it. A submit that must start over can
 * read a file again, a pipe it cannot. Throws IO where the file cannot be written.
 */
export async function withStoredInput<Result>(
  input: InputStream,
  work: (path: string) => Promise<Result>,
): Promise<Result> {
  return await withPrivateDirectory('rq-stdin-', async (directory) => {
    const path = join(directory, 'stdin');
    await store(input, path);
    return await work(path);
  });
}

/**
 * Hands the path that `--stdin` names to the work, undefined without the option; where it is rq's own stdin, that of a
 * temporary copy. Throws USAGE if stdin is a terminal, or is read for something else as well.
 */
export async function withGivenStdin<Result>(
  call: CommandCall,
  isReadOtherwise: boolean,
  work: (path: string | undefined) => Promise<Result>,
): Promise<Result> {
  const given = call.options.text('stdin');
  if (given !== '-') return await work(given);
  if (isReadOtherwise) {
    throw new RqError(
      'USAGE',
      'cannot read jobs and their stdin from one stdin: use --stdin=FILE, or name the jobs otherwise',
    );
  }
  if (call.input.kind === 'terminal') {
    throw new RqError('USAGE', "cannot read the job's stdin from a terminal: redirect it, or use --stdin=FILE");
  }
  return await withStoredInput(call.input, work);
}

async function store(input: InputStream, path: string): Promise<void> {
  try {
    await pipeline(input.chunks(), createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    const message = `cannot copy stdin to ${path}: ${errorMessage(error)}; set TMPDIR to a directory with space`;
    throw new RqError('IO', message, { cause: error });
  }
}
