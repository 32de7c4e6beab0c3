import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JOB_FIELDS } from '../../../src/job/job.ts';
import { ROOT } from '../../support/fixture.ts';

test('docs/job-fields.md describes all fields in the order in which they are printed', () => {
  const page = readFileSync(join(ROOT, 'docs/job-fields.md'), 'utf8');
  const names = page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => Array.from(line.split('|')[1]?.matchAll(/`(\w+)`/g) ?? [], ([, name]) => name));
  expect(names).toEqual([...JOB_FIELDS]);
});
