import { expect, test } from 'vitest';
import { viewers } from '../../../src/cli/commands/streams/viewers.ts';

test('a named editor is the only choice; --editor takes precedence over RQ_EDITOR', () => {
  const environment = { RQ_EDITOR: "emacs -nw --eval '(view-mode)'", PAGER: 'most' };
  expect(viewers('nano -v', environment)).toEqual({ source: '--editor', programs: [['nano', '-v']] });
  expect(viewers(undefined, environment)).toEqual({
    source: 'RQ_EDITOR',
    programs: [['emacs', '-nw', '--eval', '(view-mode)']],
  });
});

test('without a named editor, vim is used, then a pager', () => {
  const vim = ['vim', '-R', '-o'];
  expect(viewers(undefined, { RQ_EDITOR: '', PAGER: 'most -s' })).toEqual({
    source: undefined,
    programs: [vim, ['most', '-s'], ['less'], ['more']],
  });
  expect(viewers(undefined, { PAGER: ' ' }).programs).toEqual([vim, ['less'], ['more']]);
});

test.each([' ', "''"])('a blank editor %j is a usage error', (editor) => {
  expect(() => viewers(editor, {})).toThrow('--editor is blank');
  expect(() => viewers(undefined, { RQ_EDITOR: editor })).toThrow('RQ_EDITOR is blank');
});
