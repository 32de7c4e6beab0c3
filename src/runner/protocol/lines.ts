import type { Socket } from 'node:net';
import { MAX_LINE_BYTES } from './messages.ts';

const NEWLINE = 0x0a;
const CLOSE_TIMEOUT_MS = 2000;

export interface LineHandlers {
  readonly onLine: (line: string) => void;
  /** A line exceeds the limit. Nothing more is read. */
  readonly onTooLong: () => void;
  /** Called before queued lines are written. */
  readonly onFlush?: () => void;
  /** Called once, also after `destroy`. The error is undefined if the connection was closed without an error. */
  readonly onClose: (error: Error | undefined) => void;
}

/** A socket on which both sides send lines. The lines of one turn of the event loop are sent with one write. */
export class LineConnection {
  private readonly chunks: Buffer[] = [];
  private chunkBytes = 0;
  private outgoing: string[] = [];
  private isEnded = false;

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
      this.isEnded = true;
      handlers.onClose(failure);
    });
  }

  /** True after `end` or `destroy`, or when the connection is lost. Nothing is sent or read any more. */
  get isClosed(): boolean {
    return this.isEnded;
  }

  /** The number of bytes that the socket buffers because the peer does not read. */
  get unsentBytes(): number {
    return this.socket.writableLength;
  }

  /** Queues a line, given without its newline. False if it exceeds the limit or the connection is closed. */
  send(line: string): boolean {
    // A UTF-16 unit has at most 3 bytes in UTF-8, so the bytes of short lines need not be counted.
    if (line.length * 3 >= MAX_LINE_BYTES && Buffer.byteLength(line) >= MAX_LINE_BYTES) return false;
    if (this.isEnded) return false;
    if (this.outgoing.length === 0) setImmediate(() => this.flush());
    this.outgoing.push(line);
    return true;
  }

  /** Sends the queued lines, then closes. */
  end(): void {
    if (this.isEnded) return;
    this.flush();
    this.isEnded = true;
    this.socket.end();
    this.socket.destroySoon();
    // The peer may never read the last lines.
    setTimeout(() => this.socket.destroy(), CLOSE_TIMEOUT_MS).unref();
  }

  /** Closes at once. Queued lines are not sent. */
  destroy(): void {
    this.isEnded = true;
    this.socket.destroy();
  }

  private flush(): void {
    if (this.outgoing.length === 0 || this.isEnded) return;
    this.handlers.onFlush?.();
    const text = `${this.outgoing.join('\n')}\n`;
    this.outgoing = [];
    this.socket.write(text);
  }

  private receive(chunk: Buffer): void {
    let start = 0;
    while (!this.isEnded) {
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
    if (this.isEnded || start === chunk.length) return;
    this.chunks.push(chunk.subarray(start));
    this.chunkBytes += chunk.length - start;
  }

  private refuse(): void {
    this.chunks.length = 0;
    this.socket.pause();
    this.handlers.onTooLong();
  }
}
