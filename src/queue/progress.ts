/** Receives the number of completed items and, where it is known, the total. Called often; it must be cheap. */
export type Progress = (done: number, total?: number) => void;
