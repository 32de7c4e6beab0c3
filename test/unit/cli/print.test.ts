import { expect, test } from 'vitest';
import { printAfter } from '../../../src/cli/output/print.ts';
import { RqError } from '../../../src/job/errors.ts';

test('What cannot be printed after a change asks nobody to try it again', async () => {
  const busy = new RqError('BUSY', 'cannot read q within 60 s; try again, or wait longer');
  const told = printAfter('submitted 7', () => Promise.reject(busy));
  await expect(told).rejects.toMatchObject({ code: 'IO', message: 'submitted 7, but cannot read q within 60 s' });
});
