import { RqError } from '../../job/errors.ts';
import { hostName } from '../../job/host.ts';
import { readFeeder } from './pid-file.ts';
import { recordsOf } from './queue-record.ts';
import { readRunnerPid } from './runner-pid.ts';

/**
 * The name under which this machine feeds from a queue, or runs jobs of it, if the machine has another name now. With
 * RQ_HOST, several feeders on one machine behave as several hosts, so names that RQ_HOST gives are not compared.
 */
export function formerHostName(queueDirectory: string): string | undefined {
  if (process.env['RQ_HOST']) return undefined;
  const host = hostName();
  const former = recordsOf(queueDirectory).find(([directory, record]) => {
    const isRenamed = record.host !== host && !record.isNamed;
    return isRenamed && (readFeeder(directory) !== undefined || readRunnerPid(directory) !== undefined);
  });
  return former?.[1].host;
}

/** Throws HOST_NAME_TAKEN if the jobs of this machine run under a former name of it: they would seem lost. */
export function refuseRenamedHost(queueDirectory: string): void {
  const former = formerHostName(queueDirectory);
  if (former === undefined) return;
  const message = `this machine fed as ${former}, and its feeder or jobs are still running; set RQ_HOST=${former}`;
  throw new RqError('HOST_NAME_TAKEN', `cannot feed from ${queueDirectory} as ${hostName()}: ${message}`);
}
