import { wakeFeeder } from '../../../feeder/runtime/wake.ts';
import { checkSchema, upgradeQueue } from '../../../queue/upgrade.ts';
import { printAfter, printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { useQueue } from '../../use-queue.ts';

export const spec: CommandSpec = {
  name: 'upgrade',
  summary: 'upgrade the schema of a queue that an older rq created',
  options: [
    {
      name: 'check',
      type: 'flag',
      help: 'Change nothing. The exit status is 1 if this version of rq cannot change the queue as it is.',
    },
  ],
  report: ['schema', 'before', 'copy'],
  description: [
    'Upgrades the schema of the database to the schema of this version of rq. ' +
      'Before the upgrade, rq copies the database to the file "db.version-N.TIME" in the queue directory. ' +
      'The queue can be in use; running jobs continue, and other commands wait. ' +
      'If the schema is current, rq changes nothing.',
    'Older versions of rq cannot use the upgraded queue, so first install the new version on all hosts. ' +
      'Each running feeder then restarts itself with the installed program. ' +
      'If the installed program is too old, the feeder waits, and its jobs continue.',
    'Prints the schema of the queue, the schema before the upgrade, and the path of the copy.',
  ],
  examples: [
    ['rq q upgrade', 'upgrade the queue after you have installed a new version of rq on all hosts'],
    ['rq q upgrade --check', 'check whether this version of rq can change the queue'],
  ],
};

/** Upgrades the schema of a queue, or with `--check` throws if its schema is not that of this rq. */
export async function run(call: CommandCall): Promise<undefined> {
  await useQueue(call, async (queue) => {
    if (call.options.flag('check')) return await printReport(call, { ...(await checkSchema(queue)) });
    const upgrade = await upgradeQueue(queue);
    wakeFeeder(queue.directory);
    await printAfter(`upgraded ${queue.directory} to schema ${upgrade.schema}`, () =>
      printReport(call, { ...upgrade }),
    );
  });
}
