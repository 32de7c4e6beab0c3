import { existsSync, opendirSync } from 'node:fs';
import { join } from 'node:path';
import { JOB_FOLDERS } from './stored-names.ts';

const BUFFER_ENTRIES = 1_024;
const CHUNK_NUMBERS = 65_536;
const NUMBERED = /^([a-z]+)\/([1-9]\d{0,15})$/;

/** Which of the files `stdout/JID`, and so on, exist in a queue. Ten million names take a few megabytes. */
export class NumberedFiles {
  /** One bit for each jid, by folder and by the quotient of the jid and the size of a chunk. */
  private readonly chunks = new Map<string, Uint8Array>();

  constructor(queueDirectory: string) {
    for (const folder of JOB_FOLDERS) if (existsSync(join(queueDirectory, folder))) this.list(queueDirectory, folder);
  }

  /** False for a file named by a jid that does not exist. */
  mayExist(name: string): boolean {
    const place = placeOf(name);
    if (place === undefined) return true;
    const byte = this.chunks.get(place.chunk)?.[place.byte] ?? 0;
    return (byte & place.bit) !== 0;
  }

  private list(queueDirectory: string, folder: string): void {
    const directory = opendirSync(join(queueDirectory, folder), { bufferSize: BUFFER_ENTRIES });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
        this.add(`${folder}/${entry.name}`);
    } finally {
      directory.closeSync();
    }
  }

  private add(name: string): void {
    const place = placeOf(name);
    if (place === undefined) return;
    const chunk = this.chunks.get(place.chunk) ?? new Uint8Array(CHUNK_NUMBERS / 8);
    this.chunks.set(place.chunk, chunk);
    chunk[place.byte] = (chunk[place.byte] ?? 0) | place.bit;
  }
}

function placeOf(name: string): { chunk: string; byte: number; bit: number } | undefined {
  const [, folder, digits] = NUMBERED.exec(name) ?? [];
  if (folder === undefined) return undefined;
  const jid = Number(digits);
  const offset = jid % CHUNK_NUMBERS;
  return { chunk: `${folder}/${Math.floor(jid / CHUNK_NUMBERS)}`, byte: offset >> 3, bit: 1 << (offset & 7) };
}
