import { versionText } from '../version.ts';

const GREETING = `rq - an instant cluster from any directory that Linux machines share

  rq ./q create                      create a queue in a shared directory
  rq ./q feed --daemon               on each host, run the jobs of the queue
  rq ./q submit 'command line'       submit a job from any host
  rq ./q list                        print the jobs
  rq ./q stdout 1                    print the output of job 1

"rq help" lists all commands. "rq help COMMAND" prints help for a command.
`;

/** The answer to a call that needs neither the parser nor the table of commands; undefined for other calls. */
export function quickAnswer([first, ...others]: readonly string[]): string | undefined {
  if (first === undefined) return GREETING;
  return (first === '--version' || first === 'version') && others.length === 0 ? versionText() : undefined;
}
