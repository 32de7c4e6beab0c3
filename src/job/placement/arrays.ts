/** The reason of the tasks of an array that end because it has stopped. */
export function stoppedReason(array: number, failures: number): string {
  return `array ${array} stopped after ${failures} ${failures === 1 ? 'failure' : 'failures'}`;
}
