import { answer } from './cli/help/completion/answer.ts';

/**
 * What the scripts of `rq completion` run at each press of the tab key: one file that parses next to nothing before it
 * answers, and opens a database only for tags and jids.
 */
async function complete(): Promise<void> {
  const [, shell = '', , , line = '', typed = ''] = process.argv.slice(2);
  const text = await answer({ shell, line, typed }, process.env);
  // A reader that is gone needs no answer.
  process.stdout.on('error', () => undefined);
  process.stdout.write(text);
}

void complete();
