import { fstatSync, readFileSync } from 'node:fs';
import { isTerminal } from '../output/terminal.ts';
import type { InputStream } from '../parse/command-call.ts';

/** What standard input is, without reading from it; a closed one is /dev/null by now, since Node opens it so. */
export function standardInput(): InputStream {
  return { kind: inputKind(), chunks: () => process.stdin };
}

/** All bytes of an input. */
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
    if (error instanceof Error && 'code' in error && error.code === 'EBADF') return 'none';
    throw error;
  }
}

/** `<&-` leaves /dev/null, open for reading and writing; `< /dev/null` is open for reading only (proc(5), fdinfo). */
function wasClosed(): boolean {
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync('/proc/self/fdinfo/0', 'latin1'))?.[1] ?? '0';
  const device = fstatSync(0).rdev;
  const nullDevice = 0x103;
  return device === nullDevice && (Number.parseInt(flags, 8) & 3) === 2;
}
