import { expect, test } from 'vitest';
import { viewers } from '../../../src/cli/commands/streams/viewers.ts';

test('the editor that was named is the only choice, --editor before RQ_EDITOR, split as a shell splits', () => {
  const environment = { RQ_EDITOR: "emacs -nw --eval '(view-mode)'", PAGER: 'most' };
  expect(viewers('nano -v', environment)).toEqual({ source: '--editor', programs: [['nano', '-v']] });
  expect(viewers(undefined, environment)).toEqual({
    source: 'RQ_EDITOR',
    programs: [['emacs', '-nw', '--eval', '(view-mode)']],
  });
});

test('where none is named it is vim, then a pager', () => {
  const vim = ['vim', '-R', '-o'];
  expect(viewers(undefined, { RQ_EDITOR: '', PAGER: 'most -s' })).toEqual({
    source: undefined,
    programs: [vim, ['most', '-s'], ['less'], ['more']],
  });
  expect(viewers(undefined, { PAGER: ' ' }).programs).toEqual([vim, ['less'], ['more']]);
});

test.each([' ', "''"])('an editor without a name, %j, is a mistake', (editor) => {
  expect(() => viewers(editor, {})).toThrow('--editor is blank');
  expect(() => viewers(undefined, { RQ_EDITOR: editor })).toThrow('RQ_EDITOR is blank');
});
