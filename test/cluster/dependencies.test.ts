import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.ts';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull } from './support/scenario.ts';

const PAIRS = 200;
const QUEUE = `${SHARE}/q`;
const OUTPUT = `${SHARE}/output`;
const DRAINED_MS = 400_000;

function rq(...words: string[]): string {
  return shellCommand(program, QUEUE, ...words);
}

/** Producers on n1, then consumers on n2, each after its producer. The jids of a new queue begin at 1. */
function pairs(): string {
  const producers = Array.from({ length: PAIRS }, (_, index) => ({
    command: `echo ${index + 1} >result.${index + 1}`,
    runners: 'n1',
    cwd: OUTPUT,
  }));
  const consumers = Array.from({ length: PAIRS }, (_, index) => ({
    command: `[ "$(cat result.${index + 1})" = ${index + 1} ]`,
    runners: 'n2',
    cwd: OUTPUT,
    after: String(index + 1),
  }));
  return JSON.stringify([...producers, ...consumers]);
}

describeInFull('a job on another host', () => {
  let lab: Lab | undefined;

  afterEach(async () => {
    await lab?.down();
    lab = undefined;
  });

  test.each(['vers=4.2,hard', 'vers=3,hard'])(
    'sees the output of the job that it depends on, with the mount options %s',
    async (mountOptions) => {
      const up = await Lab.up({ clients: 2, mountOptions });
      lab = up;
      await up.output('n1', rq('create'));
      await up.output('n1', rq('configure', 'min_sleep=0.1', 'max_sleep=0.3'));
      await up.output('n1', `mkdir ${OUTPUT}; cat >/tmp/pairs <<'EOF'\n${pairs()}\nEOF`);
      await up.output('n1', rq('submit', '--quiet', '--infile', '/tmp/pairs'));
      // The host has looked for each output before, so that its cache says that there is none.
      const looking = `cd ${OUTPUT}; while [ ! -e /tmp/enough ]; do ls result.{1..${PAIRS}} >/dev/null 2>&1; sleep 0.05; done`;
      const observer = await up.start('n2', looking);
      const feeders = await Promise.all(
        (['n1', 'n2'] as const).map((host) => up.start(host, rq('feed', '--max_feed', '4'))),
      );
      const states = async (): Promise<string> =>
        await up.output('n1', `${rq('list', 'all', '--fields', 'state,exit_status', '--plain')} | sort | uniq -c`);
      await waitFor(async () => !/pending|running/.test(await states()), DRAINED_MS);
      expect((await states()).trim().split(/\s+/)).toEqual([String(2 * PAIRS), 'finished', '0']);
      await up.output('n2', 'touch /tmp/enough');
      await observer.waitForExit();
      for (const feeder of feeders) {
        await feeder.signal('TERM');
        await feeder.waitForExit();
      }
    },
  );
});
