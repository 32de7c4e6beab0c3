import type { JobExplanation } from '../../queue/jobs/why/why.ts';
import { listPieces, type Printable } from '../../yaml/document.ts';
import type { CommandCall } from '../parse/command-call.ts';
import { wantsColour } from './colour.ts';
import { colouredPieces } from './coloured-yaml.ts';
import { chooseFields } from './fields.ts';
import { plainPieces } from './forms/plain.ts';
import { writeAll } from './standard-output.ts';
import { outputWidth } from './terminal.ts';

export const EXPLANATION_FIELDS = ['jid', 'state', 'why', 'hosts'] as const;
type Field = (typeof EXPLANATION_FIELDS)[number];

const PLAIN: readonly Field[] = ['jid', 'why'];
const TABLE: readonly Field[] = ['jid', 'state', 'why'];

/** Prints batches of explanations as they arrive, in the form that the options name. Returns the number of jobs. */
export async function printExplanations(
  call: CommandCall,
  batches: AsyncIterable<readonly JobExplanation[]>,
): Promise<number> {
  const { environment, options, output } = call;
  const chosen = options.text('fields');
  const fields = chosen === undefined ? undefined : chooseFields(chosen, EXPLANATION_FIELDS);
  let count = 0;
  async function* converted<T>(convert: (explanation: JobExplanation) => T): AsyncGenerator<T[]> {
    for await (const batch of batches) {
      count += batch.length;
      yield batch.map(convert);
    }
  }
  if (options.flag('plain')) await writeAll(output, plainPieces(converted(onOneLine), fields ?? PLAIN));
  else if (options.flag('table')) {
    // Loads the segmenter of Intl, which the other forms do not need.
    const { tablePieces } = await import('./forms/table.ts');
    await writeAll(output, tablePieces(converted(onOneLine), fields ?? TABLE, outputWidth(environment)));
  } else {
    const json = options.flag('json');
    const hasNulls = fields !== undefined || options.flag('full');
    const pieces = listPieces(
      converted((each) => inFields(each, fields ?? EXPLANATION_FIELDS, hasNulls)),
      { json },
    );
    await writeAll(output, !json && wantsColour(1, environment) ? colouredPieces(pieces) : pieces);
  }
  return count;
}

function inFields({ jid, state, why, hosts }: JobExplanation, fields: readonly Field[], hasNulls: boolean): Printable {
  const [first, second] = why;
  const verdicts = hosts?.map(({ host, verdict, cause }): Printable => ({ host, verdict, cause }));
  const values: Record<Field, Printable> = {
    jid,
    state,
    why: second === undefined ? first : why,
    hosts: verdicts ?? (hasNulls ? null : undefined),
  };
  return Object.fromEntries(fields.map((field) => [field, values[field]]));
}

/** An explanation whose values are text, for a line. */
function onOneLine({ jid, state, why, hosts = [] }: JobExplanation): Record<Field, string | number> {
  const verdicts = hosts.map(
    ({ host, verdict, cause }) => `${host} ${verdict}${cause === undefined ? '' : `: ${cause}`}`,
  );
  return { jid, state, why: why.join('; '), hosts: verdicts.join('; ') };
}
