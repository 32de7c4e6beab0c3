/** The requests of a client to the NFS server since the mount. Locks of NFS version 3 are not included. */
export interface RpcCounts {
  readonly total: number;
  /** By operation, such as GETATTR. Operations that never happened are omitted. */
  readonly operations: Readonly<Record<string, number>>;
}

const DEVICE = /^device .* mounted on (\S+) with fstype /;
const OPERATION = /^\s*([A-Z][A-Z0-9_]*): (\d+) /;

/** Parses the counts of one mount in /proc/self/mountstats. Throws if there is no such mount. */
export function parseMountstats(text: string, mountPoint: string): RpcCounts {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => DEVICE.exec(line)?.[1] === mountPoint);
  if (start < 0) throw new Error(`cannot count RPCs: nothing is mounted on ${mountPoint}`);
  const operations: Record<string, number> = {};
  for (const line of lines.slice(start + 1)) {
    if (DEVICE.test(line)) break;
    const match = OPERATION.exec(line);
    if (match?.[1] !== undefined && Number(match[2]) > 0) operations[match[1]] = Number(match[2]);
  }
  return counts(operations);
}

/** The difference between two counts. */
export function rpcsBetween(before: RpcCounts, after: RpcCounts): RpcCounts {
  const operations: Record<string, number> = {};
  for (const [name, count] of Object.entries(after.operations)) {
    const difference = count - (before.operations[name] ?? 0);
    if (difference !== 0) operations[name] = difference;
  }
  return counts(operations);
}

function counts(operations: Record<string, number>): RpcCounts {
  return { total: Object.values(operations).reduce((sum, count) => sum + count, 0), operations };
}
