/** The states of a job; docs/states.md draws the transitions. */
export const JOB_STATES = ['pending', 'holding', 'running', 'finished', 'dead'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Groups of states in which a column may have a value: from submission, claim, end, or loss onwards. */
export const STATE_GROUPS = {
  any: JOB_STATES,
  claimed: ['running', 'finished', 'dead'],
  ended: ['finished', 'dead'],
  dead: ['dead'],
} as const satisfies Record<string, readonly JobState[]>;
export type StateGroup = keyof typeof STATE_GROUPS;
