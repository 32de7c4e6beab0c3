import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes sure that what was written to a file or directory survives a power cut. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
