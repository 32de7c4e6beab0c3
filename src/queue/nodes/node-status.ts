import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';
import { runningByHost } from '../../store/counts.ts';
import { duration } from '../duration.ts';
import type { Queue } from '../open.ts';
import { readServerClock } from '../server-clock.ts';
import { read } from '../transaction/read.ts';
import { type Node, readNodes } from './nodes.ts';

/** So many of its own beats may be missing before a node is called silent. */
const MISSED_BEATS = 3;
const BEAT_S = 30;

/** A node's part of `status`. */
export interface NodeSummary {
  readonly host: string;
  /** `silent`: it gives no sign of life; `lost`: others ended its jobs on its behalf. */
  readonly state: 'feeding' | 'silent' | 'lost';
  readonly slots: number | null;
  readonly running: number;
  readonly last_beat: string;
  /** Since then, by the server's clock. */
  readonly age: string;
}

/** The nodes of a queue, given how many jobs each runs. */
export function nodeSummaries(queue: Queue, running: ReadonlyMap<string, number>): NodeSummary[] {
  const nodes = readNodes(queue.directory);
  const nowMs = nodes.length === 0 ? 0 : serverNowMs(queue);
  return nodes.map((node) => summary(node, running.get(node.host) ?? 0, nowMs));
}

/** Whether a node gave no sign of life for some of its beats, by a clock that says `nowMs`. */
export function isSilent({ facts, lastBeat }: Node, nowMs: number): boolean {
  return nowMs - Date.parse(lastBeat) > MISSED_BEATS * (Number(facts['beat']) || BEAT_S) * 1000;
}

/** As beats are stamped; by this host's clock where nothing can be written. */
function serverNowMs({ directory, clock }: Queue): number {
  try {
    return readServerClock(join(directory, 'nodes'), clock).nowMs;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return Date.parse(clock.now());
  }
}

function summary(node: Node, running: number, nowMs: number): NodeSummary {
  const { host, isLost, facts, lastBeat } = node;
  const seconds = Math.max(0, nowMs - Date.parse(lastBeat)) / 1000;
  const slots = Number(facts['slots']);
  return {
    host,
    state: isLost ? 'lost' : isSilent(node, nowMs) ? 'silent' : 'feeding',
    slots: Number.isSafeInteger(slots) ? slots : null,
    running,
    last_beat: lastBeat,
    age: duration(seconds),
  };
}

/** A node with what its feeder tells of itself. */
export interface NodeReport extends NodeSummary {
  readonly pid: number | null;
  readonly version: string | null;
  readonly started: string | null;
}

/** The nodes of a queue, by name. */
export async function nodeReports(queue: Queue): Promise<NodeReport[]> {
  const running = await read(queue, runningByHost);
  const nowMs = serverNowMs(queue);
  return readNodes(queue.directory).map((node) => {
    const { pid, version, started } = node.facts;
    return {
      ...summary(node, running.get(node.host) ?? 0, nowMs),
      pid: Number(pid) || null,
      version: version ?? null,
      started: started ?? null,
    };
  });
}
