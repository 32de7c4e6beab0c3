import type { Connection } from '../connection.ts';
import { findTasks } from './candidates.ts';
import { type Dependence, endOf } from './gates.ts';

type Task = Omit<Dependence, 'kind'>;

/** The tasks of an array by their indexes, and the indexes of the tasks that wait for them. */
interface Pairing {
  readonly tasks: ReadonlyMap<number, Task>;
  readonly indexes: Set<number>;
}

/** The tasks of arrays with which other arrays pair up, inside one transaction. */
export class ArrayTasks {
  /** By the text of the field `after`, and the jid of the array. */
  private readonly pairings = new Map<string, Map<number, Pairing>>();

  constructor(private readonly connection: Connection) {}

  /** The task of an array with the same index, or why there is none. */
  partner(text: string, array: number, index: number | null): Task | string {
    if (index === null) return `each:${array} pairs the tasks of two arrays; add --array`;
    const { tasks, indexes } = this.pairingWith(text, array);
    const partner = tasks.get(index);
    if (tasks.size === 0) return `there is no array ${array}`;
    if (partner === undefined) return `array ${array} has no task with the index ${index}`;
    indexes.add(index);
    return partner;
  }

  /** An array that has tasks for which no job waits. */
  mismatch(): { readonly text: string; readonly reason: string } | undefined {
    for (const [text, arrays] of this.pairings) {
      for (const [array, { tasks, indexes }] of arrays) {
        if (tasks.size === indexes.size) continue;
        const reason = `array ${array} has ${tasks.size} tasks, and the new one has ${indexes.size}; give both the same indexes`;
        return { text, reason };
      }
    }
    return undefined;
  }

  private pairingWith(text: string, array: number): Pairing {
    const arrays = this.pairings.get(text) ?? new Map<number, Pairing>();
    this.pairings.set(text, arrays);
    const pairing = arrays.get(array) ?? { tasks: this.read(array), indexes: new Set<number>() };
    arrays.set(array, pairing);
    return pairing;
  }

  private read(array: number): Map<number, Task> {
    const rows = findTasks(this.connection, array);
    return new Map(rows.map((row) => [Number(row['index']), { jid: Number(row['jid']), end: endOf(row) }]));
  }
}
