import { type Completion, NOTHING } from './candidates.ts';
import { completeLine } from './next-word.ts';
import { bashReplacement, readTypedLine, type TypedLine } from './typed-line.ts';

/** What a script asks: the shell, the line up to the cursor, and for bash the end of it that is to be replaced. */
export interface Question {
  readonly shell: string;
  readonly line: string;
  readonly typed: string;
}

/**
 * The answer to a script: which names of files the shell is to add, then one candidate a line, for zsh and fish with
 * what it is behind a tab. Where anything is wrong, there are no candidates.
 */
export async function answer(question: Question, environment: NodeJS.ProcessEnv): Promise<string> {
  const line = readTypedLine(question.line, environment);
  // Nobody asked for an error: it would be written into the line that is being typed.
  const completion = await completeLine(line, environment).catch(() => NOTHING);
  return completionText(completion, line, question);
}

function completionText({ files, candidates }: Completion, line: TypedLine, { shell, typed }: Question): string {
  const lines = candidates.map(({ text, about }) =>
    shell === 'bash' ? bashReplacement(text, line.currentRaw, typed) : `${text}\t${about}`,
  );
  return [files, ...lines, ''].join('\n');
}
