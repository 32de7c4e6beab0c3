import { fstatSync, readFileSync } from 'node:fs';
import { errorCode } from '../../job/errors.ts';
import { isTerminal } from '../output/terminal.ts';
import type { InputStream } from '../parse/command-call.ts';

/** /dev/null: device 1, 3 (devices.txt of the kernel). */
export const NULL_DEVICE = 0x103;

/** stdin. It is not touched before its kind or contents are needed. Node opens /dev/null in place of a closed stdin. */
export function standardInput(): InputStream {
  return {
    get kind() {
      return inputKind();
    },
    chunks: () => process.stdin,
  };
}

/** Reads all bytes of an input. */
export async function readAll(input: InputStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function inputKind(): InputStream['kind'] {
  try {
    if (isTerminal(0)) return 'terminal';
    const stats = fstatSync(0);
    if (stats.isFIFO() || stats.isSocket()) return 'pipe';
    if (stats.isFile()) return 'file';
    return wasClosed() ? 'none' : 'other';
  } catch (error) {
    if (errorCode(error) === 'EBADF') return 'none';
    throw error;
  }
}

/** After `<&-`, stdin is /dev/null opened by Node to read and write; `< /dev/null` only to read (proc(5), fdinfo). */
function wasClosed(): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1'))?.[1] ?? '0';
  return fstatSync(0).rdev === NULL_DEVICE && (Number.parseInt(flags, 8) & 3) === 2;
}
