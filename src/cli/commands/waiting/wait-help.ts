export const WAIT_STATUS =
  'The exit status is that of the job, or 128+N if signal N ended the job. ' +
  'It is 126 if the job is dead or was deleted, or if rq ended the job and the exit status of the job is 0. ' +
  'For several jobs, it is the highest of these, and with --any that of the first job to end. ' +
  'At the timeout, it is 124. ' +
  'Errors of rq itself (2, 3 or 75) print nothing on stdout.';
