import { expect, test } from 'vitest';
import { newSharedState, readState, writeState } from '../../../src/cli/stall/shared-state.ts';
import { Activity, type ActivityState } from '../../../src/job/activity.ts';

/** An activity record, and a function that reads its state as another thread does. */
function observed(): { activity: Activity; state: () => ActivityState | undefined } {
  const shared = newSharedState();
  return { activity: new Activity((state) => writeState(shared, state)), state: () => readState(shared) };
}

test('the state has the innermost operation, and the innermost wait with the start of the outermost', async () => {
  const { activity, state } = observed();
  const shown = () => [state()?.operation, state()?.wait?.reason];
  const result = await activity.waiting(async (outer) => {
    expect(shown()).toEqual([undefined, undefined]);
    outer.for('first');
    const sinceMs = state()?.wait?.sinceMs;
    await activity.waiting(async (inner) => {
      inner.for('second');
      inner.for('second, by another');
      expect(state()?.wait).toEqual({ reason: 'second, by another', sinceMs });
      activity.during('changing', () => {
        expect(activity.during('committing', shown)).toEqual(['committing', 'second, by another']);
        expect(shown()).toEqual(['changing', 'second, by another']);
      });
    });
    expect(shown()).toEqual([undefined, 'first']);
    return 7;
  });
  expect(result).toBe(7);
  expect(shown()).toEqual([undefined, undefined]);
});

test('an operation that throws has ended, and a text that is too long is cut off', () => {
  const { activity, state } = observed();
  expect(() =>
    activity.during('\u0001'.repeat(5000), () => {
      expect(state()?.operation).toHaveLength(1_000);
      throw new Error('it failed');
    }),
  ).toThrow('it failed');
  expect(state()?.operation).toBeUndefined();
});

test('the state says whether a change may be committed and whether a timeout applies', () => {
  const { activity, state } = observed();
  activity.mayHaveChanged = true;
  expect(state()).toMatchObject({ mayHaveChanged: true, isUnlimited: false });
  activity.mayHaveChanged = false;
  activity.ignoreTimeout();
  expect(state()).toMatchObject({ mayHaveChanged: false, isUnlimited: true });
});
