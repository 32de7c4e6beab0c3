import { expect, test } from 'vitest';
import { printAfter } from '../../../src/cli/output/print.ts';
import { RqError } from '../../../src/job/errors.ts';

test('a failure to print after a change does not advise to try again', async () => {
  const busy = new RqError('BUSY', 'cannot read q within 60 s; try again, or wait longer');
  const printed = printAfter('submitted 7', () => Promise.reject(busy));
  await expect(printed).rejects.toMatchObject({ code: 'IO', message: 'submitted 7, but cannot read q within 60 s' });
});
