import type { Socket } from 'node:net';
import { MAX_LINE_BYTES } from './protocol.ts';

const NEWLINE = 0x0a;
const LAST_WORDS_MS = 2000;

export interface LineHandlers {
  readonly onLine: (line: string) => void;
  /** A line above the limit came in; nothing more is read. */
  readonly onTooLong: () => void;
  /** Before what was queued goes out. */
  readonly onFlush?: () => void;
  /** Once, also after `destroy`; the error is undefined for an orderly end. */
  readonly onClose: (error: Error | undefined) => void;
}

/** A socket on which both sides send lines. What is sent in one turn of the event loop goes out in one write. */
export class LineConnection {
  private readonly chunks: Buffer[] = [];
  private chunkBytes = 0;
  private outgoing: string[] = [];
  private hasEnded = false;

  constructor(
    private readonly socket: Socket,
    private readonly handlers: LineHandlers,
  ) {
    let failure: Error | undefined;
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      this.hasEnded = true;
      handlers.onClose(failure);
    });
  }

  /** True from the first `end`, `destroy` or loss on: nothing is sent or read any more. */
  get isDone(): boolean {
    return this.hasEnded;
  }

  /** Bytes that wait for the other side to read. */
  get waitingBytes(): number {
    return this.socket.writableLength;
  }

  /** Queues a line without its newline. False if it is above the limit, or the connection is done: it is not sent then. */
  send(line: string): boolean {
    // A character has at most 3 bytes a UTF-16 unit, so that counting is seldom needed.
    if (line.length * 3 >= MAX_LINE_BYTES && Buffer.byteLength(line) >= MAX_LINE_BYTES) return false;
    if (this.hasEnded) return false;
    if (this.outgoing.length === 0) setImmediate(() => this.flush());
    this.outgoing.push(line);
    return true;
  }

  /** Sends what is queued, then closes. Reads no more. */
  end(): void {
    if (this.hasEnded) return;
    this.flush();
    this.hasEnded = true;
    this.socket.end();
    this.socket.destroySoon();
    // The other side may never read it.
    setTimeout(() => this.socket.destroy(), LAST_WORDS_MS).unref();
  }

  /** Closes at once. Reads no more. */
  destroy(): void {
    this.hasEnded = true;
    this.socket.destroy();
  }

  private flush(): void {
    if (this.outgoing.length === 0 || this.hasEnded) return;
    this.handlers.onFlush?.();
    const text = `${this.outgoing.join('\n')}\n`;
    this.outgoing = [];
    this.socket.write(text);
  }

  private receive(chunk: Buffer): void {
    let start = 0;
    while (!this.hasEnded) {
      const end = chunk.indexOf(NEWLINE, start);
      const lastByte = end === -1 ? chunk.length : end + 1;
      if (this.chunkBytes + lastByte - start > MAX_LINE_BYTES) {
        this.refuse();
        return;
      }
      if (end === -1) break;
      this.chunks.push(chunk.subarray(start, end));
      const line = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
      this.chunks.length = 0;
      this.chunkBytes = 0;
      start = end + 1;
      this.handlers.onLine(line?.toString('utf8') ?? '');
    }
    if (this.hasEnded || start === chunk.length) return;
    this.chunks.push(chunk.subarray(start));
    this.chunkBytes += chunk.length - start;
  }

  private refuse(): void {
    this.chunks.length = 0;
    this.socket.pause();
    this.handlers.onTooLong();
  }
}
