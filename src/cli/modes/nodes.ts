import { nodeReports } from '../../queue/node-status.ts';
import { chooseFields } from '../fields.ts';
import type { ModeCall } from '../mode-call.ts';
import { printDocument } from '../print.ts';
import { useReader } from '../use-queue.ts';

const FIELDS = ['host', 'state', 'slots', 'running', 'last_beat', 'age', 'pid', 'version', 'started'] as const;

/** Prints the queue's nodes as a list. */
export async function run(call: ModeCall): Promise<undefined> {
  const text = call.options.text('fields');
  const fields = text === undefined ? FIELDS : chooseFields(text, FIELDS);
  const nodes = await useReader(call, nodeReports);
  await printDocument(
    call,
    nodes.map((node) => Object.fromEntries(fields.map((field) => [field, node[field]]))),
  );
}
