import { type Obstacle, Room } from '../room.ts';
import type { Shape } from '../shape.ts';
import { isNever, needsText, shortNeeds } from './dependencies-text.ts';
import type { QueueFacts, WaitingFacts } from './facts.ts';
import { counted, roughly } from './phrases.ts';

/** A condition that prevents every host from running a job. */
export interface Blocker {
  readonly text: string;
  /** For the field `waits_for`. */
  readonly short: string;
  readonly isNever: boolean;
}

/** A limit of the queue. */
type Limit = Exclude<Obstacle, { readonly kind: 'host' | 'cpus' | 'memory' | 'gpus' | 'resource' }>;

const NO_ROOM = { cpus: 0, ahead: 0, memory: null, gpus: 0, resources: {} };

type Queue = Pick<QueueFacts, 'limits' | 'maxFails'>;

/** What keeps a job from every host. */
export function blockersOf(
  waiting: Pick<WaitingFacts, 'job' | 'shape' | 'isValid' | 'gate' | 'tries'>,
  queue: Queue & Pick<QueueFacts, 'now' | 'serverNow'>,
): Blocker[] {
  const invalid = waiting.isValid ? [] : [TOO_LONG];
  return [...invalid, ...ownBlockers(waiting, queue), ...limitBlockers(waiting.shape, queue)];
}

const TOO_LONG: Blocker = {
  text: 'a text of the job is longer than rq accepts: never',
  short: 'a shorter text',
  isNever: true,
};

/** What the job itself waits for: a user, its dependencies, and a time. */
export function ownBlockers(
  { job, gate, tries }: Pick<WaitingFacts, 'job' | 'gate' | 'tries'>,
  { now, serverNow }: Pick<QueueFacts, 'now' | 'serverNow'>,
): Blocker[] {
  const blockers: Blocker[] = [];
  if (job.state === 'holding') blockers.push({ text: 'held', short: 'release', isNever: false });
  if (gate !== undefined) {
    blockers.push({ text: needsText(gate, now), short: shortNeeds(gate), isNever: gate.needs.some(isNever) });
  }
  const { due } = job;
  if (due !== null && due > serverNow) {
    const retry = `retry ${tries} of ${Math.max(tries, job.retries ?? 0)} is due`;
    const wait = roughly(Date.parse(due) - Date.parse(serverNow));
    blockers.push({ text: `${tries > 0 ? retry : 'due'} in ${wait}`, short: `due ${due}`, isNever: false });
  }
  return blockers;
}

/** The limits of the queue that a job of the shape has reached. */
export function limitBlockers(shape: Shape, queue: Queue): Blocker[] {
  return limitsReached(shape, queue).map((limit) => limitBlocker(limit, shape.owner, queue));
}

/** The limits of the queue that the job has reached: one for each of its lanes, its array and its owner. */
function limitsReached(shape: Shape, { limits }: Queue): Limit[] {
  const room = new Room(NO_ROOM, () => true, limits);
  const bare: Shape = { ...shape, runners: null, cpus: 0, memory: 0, gpus: 0, needs: {}, lanes: [], array: null };
  const parts = [...shape.lanes.map((lane) => ({ ...bare, lanes: [lane] })), { ...bare, array: shape.array }, bare];
  const found = parts.flatMap((part) => room.obstacle(part) ?? []).filter(isLimit);
  return [...new Map(found.map((obstacle) => [JSON.stringify(obstacle), obstacle])).values()];
}

function isLimit(obstacle: Obstacle): obstacle is Limit {
  return 'lane' in obstacle || 'array' in obstacle || obstacle.kind === 'owner full';
}

function limitBlocker(limit: Limit, owner: string, { maxFails }: Queue): Blocker {
  const later = (text: string, short: string): Blocker => ({ text, short, isNever: false });
  switch (limit.kind) {
    case 'lane paused':
      return later(`lane ${limit.lane} is paused`, `lane ${limit.lane}`);
    case 'lane full':
      return later(`lane ${limit.lane} is full (${limit.running} of ${limit.max})`, `lane ${limit.lane}`);
    case 'array full':
      return later(`array ${limit.array} is full (${limit.running} of ${limit.max})`, `array ${limit.array}`);
    case 'array stopped': {
      const failures = maxFails.get(limit.array);
      const after = failures === undefined ? '' : ` after ${counted(failures, 'failure')}`;
      const text = `array ${limit.array} has stopped${after}: never`;
      return { text, short: `array ${limit.array} (stopped)`, isNever: true };
    }
    case 'owner full':
      return later(`${owner} runs ${counted(limit.running, 'job')} (max_per_user is ${limit.max})`, 'max_per_user');
  }
}
