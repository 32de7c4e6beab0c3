import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/fixture.ts';
import { applyPatch, PROTECTIONS } from '../../support/protections.ts';

test.each(Object.entries(PROTECTIONS))('the text of the protection "%s" occurs once in its source file', (_, patch) => {
  const source = readFileSync(join(ROOT, patch.file), 'utf8');
  expect(applyPatch(source, patch)).not.toContain(patch.text);
});
