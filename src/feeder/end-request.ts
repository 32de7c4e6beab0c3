/** How a feeder is asked to end: restarted, after its jobs have ended, or after its jobs were killed. */
export type EndKind = 'restart' | 'shutdown' | 'stop';

const PRECEDENCE: Record<EndKind, number> = { restart: 1, shutdown: 2, stop: 3 };

/** The strongest request to end the feeder so far. */
export class EndRequest {
  kind: EndKind | undefined;
  /** The origin of the request: a signal, a key or a command. */
  requestedBy = '';
  private onRequest: (() => void) | undefined;

  /** Records a request unless a stronger one was made before. */
  request(kind: EndKind, requestedBy: string): void {
    if (this.kind !== undefined && PRECEDENCE[kind] <= PRECEDENCE[this.kind]) return;
    this.kind = kind;
    this.requestedBy = requestedBy;
    this.onRequest?.();
  }

  /** Calls `onRequest` for each request, and at once if one was made before. */
  subscribe(onRequest: () => void): void {
    this.onRequest = onRequest;
    if (this.kind !== undefined) onRequest();
  }
}
