import { expect, test } from 'vitest';
import { waitText } from '../../../src/cli/commands/waiting/wait-progress.ts';

const COUNTS = { total: 1_000, opened: 900, open: 760, failed: 2, running: 16 };

test('the progress of a wait shows done, failed and running jobs, the rate and the time left', () => {
  expect(waitText(COUNTS, 10)).toBe('[##--------] 240 of 1,000 done, 2 failed, 16 running, 14 a second, 55 s left');
});

test('the rate of slow jobs is printed per minute or per hour', () => {
  expect(waitText({ ...COUNTS, open: 899 }, 10)).toContain('6 a minute, 2 h left');
  expect(waitText({ ...COUNTS, open: 899 }, 1_000)).toContain('3.6 an hour, 250 h left');
});

test('before a job has ended there is no rate', () => {
  expect(waitText({ ...COUNTS, open: 900 }, 10)).toBe('[#---------] 100 of 1,000 done, 2 failed, 16 running');
});
