import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Lab, SHARE } from './support/lab.ts';
import { program, shellCommand } from './support/program.ts';
import { describeInFull, print } from './support/scenario.ts';

const QUEUE = `${SHARE}/q`;
const SILENT = `${QUEUE} does not answer`;

describeInFull('on a hard mount whose server does not answer', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.up({ clients: 2 });
    await lab.output('n1', rq('create'));
    await lab.output('n1', rq('submit', '--quiet', 'true'));
  });

  afterEach(async () => {
    await lab.heal('n1');
    await lab.output('n1', `ls ${SHARE}`);
  });

  afterAll(async () => {
    await lab?.down();
  });

  test.each([['list'], ['status'], ['submit', 'true'], ['tail', '1', '--lock-timeout', '60']])(
    'rq q %s prints what it is waiting for, and Ctrl-C ends it',
    async (...words) => {
      await lab.cut('n1');
      const call = await lab.start('n1', rq(...words));
      expect(await call.waitForOutput('does not answer')).toContain(`rq: still waiting after 10 s: ${SILENT}: `);
      await call.signal('INT');
      expect(await call.waitForExit()).toBe(130);
      print(await call.output());
    },
  );

  test.each([['list'], ['submit', 'true']])('--lock-timeout ends rq q %s with status 75', async (...words) => {
    await lab.cut('n1');
    const call = await lab.start('n1', rq(...words, '--lock-timeout', '15'));
    expect(await call.waitForExit()).toBe(75);
    await lab.heal('n1');
    const lines = (await call.output()).trimEnd().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(`^rq: still waiting after 1\\d s: ${SILENT}: .* \\(Ctrl-C to stop\\)$`),
      expect.stringMatching(
        `^rq: cannot use ${QUEUE}: the file server has not answered for 1\\d s.*; try again, or wait longer`,
      ),
    ]);
    expect(await lab.output('n1', rq('list', '--fields', 'jid'))).toContain('jid: 1\n');
  });

  test('a feeder logs that it is waiting, and continues when the server is back', async () => {
    const feeder = await lab.start('n1', `${rq('feed')}`);
    await feeder.waitForOutput('feeder started');
    await lab.kill('server');
    // At its next heartbeat at the latest.
    await feeder.waitForOutput(`warn  still waiting after [0-9]+ s: ${SILENT}`, { timeoutMs: 120_000 });
    await lab.boot('server');
    await feeder.waitForOutput(`warn  continuing after [0-9]+ s: ${SILENT}`, { timeoutMs: 120_000 });
    await lab.output('n2', rq('submit', '--quiet', 'true', '--tag', 'after'));
    await feeder.waitForOutput('jid=2.* exit_status=0', { timeoutMs: 120_000 });
    await feeder.signal('TERM');
    expect(await feeder.waitForExit()).toBe(0);
  });

  test('a blocked feeder exits on TERM', async () => {
    const feeder = await lab.start('n1', rq('feed'));
    await feeder.waitForOutput('feeder started');
    await lab.cut('n1');
    await feeder.waitForOutput(SILENT, { timeoutMs: 120_000 });
    await feeder.signal('TERM');
    await feeder.waitForOutput('received a signal to exit');
    // The kernel keeps the process until it has closed its files on the share.
    await lab.heal('n1');
    expect(await feeder.waitForExit()).toBe(137);
  });
});

/** Restores the default action of SIGINT, which a shell ignores for background commands. */
function rq(...words: string[]): string {
  return `exec ${shellCommand('env', '--default-signal=INT', program, QUEUE, ...words)}`;
}
