import { errorLine } from '../exit-status.ts';
import type { ModeCall } from '../mode-call.ts';
import type { Completion } from './candidates.ts';
import { completeLine } from './next-word.ts';
import { type Shell, shellNamed } from './scripts.ts';
import { bashReplacement, readTypedLine, type TypedLine } from './typed-line.ts';

/**
 * Answers a script: which names of files the shell is to add, then one candidate a line, for zsh and fish with what it
 * is behind a tab. The words are the shell, the line up to the cursor, and for bash the end of it that it completes.
 */
export async function run(call: ModeCall): Promise<undefined> {
  const [name = '', line = '', typed = ''] = call.words;
  const shell = shellNamed(name);
  const read = readTypedLine(line, call.environment);
  const completion = await completeLine(read, call.environment).catch((error: unknown) => {
    // Nobody asked for this error: it would be written into the line that is being typed.
    call.talk.debug(errorLine(error));
    return undefined;
  });
  if (completion !== undefined) await call.output.write(completionText(completion, shell, read, typed));
}

function completionText({ files, candidates }: Completion, shell: Shell, line: TypedLine, typed: string): string {
  const lines = candidates.map(({ text, about }) =>
    shell === 'bash' ? bashReplacement(text, line.currentRaw, typed) : `${text}\t${about}`,
  );
  return [files, ...lines, ''].join('\n');
}
