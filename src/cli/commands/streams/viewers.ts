import { RqError } from '../../../job/errors.ts';
import { splitWords } from '../../parse/shell-words.ts';

/** Candidate programs to view files, each with its arguments. The first one that exists is used. */
export interface Viewers {
  /** The option or variable that names the program; undefined for the defaults of rq. */
  readonly source: string | undefined;
  readonly programs: readonly (readonly string[])[];
}

/** Returns the editor of `--editor` or RQ_EDITOR; otherwise vim and then pagers. Throws USAGE. */
export function viewers(editor: string | undefined, environment: NodeJS.ProcessEnv): Viewers {
  const source = editor === undefined ? 'RQ_EDITOR' : '--editor';
  const named = editor ?? environment['RQ_EDITOR'] ?? '';
  if (named !== '') {
    const words = splitWords(named, source);
    if ((words[0] ?? '') === '') throw new RqError('USAGE', `${source} is blank: name a program`);
    return { source, programs: [words] };
  }
  const pager = splitWords(environment['PAGER'] ?? '', 'PAGER');
  const pagers = [...((pager[0] ?? '') === '' ? [] : [pager]), ['less'], ['more']];
  return { source: undefined, programs: [['vim', '-R', '-o'], ...pagers] };
}
