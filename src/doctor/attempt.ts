import { errorCode, errorMessage, RqError } from '../job/errors.ts';
import { type Finding, notChecked } from './finding.ts';

/** What a check finds, or that it could not be made. */
export async function findingsOf(
  look: () => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (errorCode(error) === undefined && !(error instanceof RqError)) throw error;
    return [notChecked(errorMessage(error), 'run it as a user who may, on a host where this works')];
  }
}
