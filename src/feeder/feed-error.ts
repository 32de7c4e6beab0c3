import { RqError } from '../job/errors.ts';
import { fileError } from '../job/file-errors.ts';

/** Converts a system error that ends a feeder to an RqError. Returns other errors unchanged. */
export function feedError(error: unknown, queueDirectory: string): unknown {
  if (error instanceof RqError || !(error instanceof Error && 'syscall' in error)) return error;
  return fileError(
    error,
    'path' in error ? `use ${error.path} to feed from ${queueDirectory}` : `feed from ${queueDirectory}`,
  );
}
