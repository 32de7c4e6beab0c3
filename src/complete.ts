import { answer } from './cli/help/completion/next-word.ts';

/** Answers the scripts of `rq completion` at each press of the tab key; opens the database only for tags and jids. */
async function complete(): Promise<void> {
  const [, shell = '', , , line = '', typed = ''] = process.argv.slice(2);
  const text = await answer({ shell, line, typed }, process.env);
  // The shell may have closed the pipe.
  process.stdout.on('error', () => undefined);
  process.stdout.write(text);
}

void complete();
