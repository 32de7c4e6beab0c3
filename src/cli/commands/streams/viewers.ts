import { RqError } from '../../../job/errors.ts';
import { splitWords } from '../../parse/shell-words.ts';

/** Programs to look at files with, each as words: the first that can be run is the one. */
export interface Viewers {
  /** Where the user named the program; undefined where rq chose. */
  readonly source: string | undefined;
  readonly programs: readonly (readonly string[])[];
}

/** The editor of `--editor` or RQ_EDITOR, nothing else where one is named; or vim, then pagers. Throws USAGE. */
export function viewers(editor: string | undefined, environment: NodeJS.ProcessEnv): Viewers {
  const source = editor === undefined ? 'RQ_EDITOR' : '--editor';
  const named = editor ?? environment['RQ_EDITOR'] ?? '';
  if (named !== '') {
    const words = splitWords(named, source);
    if ((words[0] ?? '') === '') throw new RqError('USAGE', `${source} names no program`);
    return { source, programs: [words] };
  }
  const pager = splitWords(environment['PAGER'] ?? '', 'PAGER');
  const pagers = [...((pager[0] ?? '') === '' ? [] : [pager]), ['less'], ['more']];
  return { source: undefined, programs: [['vim', '-R', '-o'], ...pagers] };
}
