import type { CommandSpec } from '../parse/command-spec.ts';
import { FEED_OPTIONS } from './feeders.ts';

export const CRON_COMMAND: CommandSpec = {
  name: 'cron',
  short: [],
  summary: "keep this host's feeder alive for ever, by cron",
  positionals: 'add|start|delete|shutdown|stop|tab',
  minPositionals: 1,
  maxPositionals: 1,
  queue: 'named',
  options: [
    ...FEED_OPTIONS,
    { name: 'rotate', type: 'flag', help: 'Rotate the queue each night, too; on one host of a cluster.' },
  ],
  report: ['queue', 'crontab', 'lines', 'feeder', 'pid', 'log'],
  description: [
    "Writes lines into this host's crontab of yours that run start --quiet every 15 minutes and at boot, with the " +
      'options of this call: a feeder that ended, for whatever reason, is back soon. Every node has its own crontab.',
    'add writes the lines, in the place of earlier ones for this queue; start also starts a feeder now. delete removes ' +
      'them; shutdown and stop also end the feeder, as the commands of these names do. tab only prints the lines.',
    'The lines end with a mark that names rq and the queue; no other line is touched.',
  ],
  examples: [
    { type: 'rq q cron start', does: 'feed on this host from now on, also after a crash or a reboot' },
    { type: 'rq q cron add --max_feed 4 --rotate', does: 'from the next quarter of an hour on; rotate each night' },
    { type: 'rq q cron shutdown', does: 'no more feeding here, when the running jobs have finished' },
    { type: 'rq q cron tab', does: 'see the lines, or put them elsewhere' },
  ],
  load: () => import('../commands/hosts/cron.ts'),
};
