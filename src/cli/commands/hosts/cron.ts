import { resolve } from 'node:path';
import { RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { documentText } from '../../../yaml/document.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';
import { addLines, makeLines, removeLines } from './cron-change.ts';
import { FEED_OPTIONS } from './feed-options.ts';
import { findFeeder } from './feeder-process.ts';
import { shutDown } from './shutdown.ts';
import { startFeeder } from './start.ts';
import { stopFeeder } from './stop.ts';

export const spec: CommandSpec = {
  name: 'cron',
  summary: "keep this host's feeder running with cron",
  positionals: 'add|start|delete|shutdown|stop|tab',
  minPositionals: 1,
  maxPositionals: 1,
  options: [
    ...FEED_OPTIONS,
    { name: 'rotate', type: 'flag', help: 'Also rotate the queue every night. Use --rotate on only one host.' },
  ],
  report: ['queue', 'crontab', 'lines', 'feeder', 'pid', 'log'],
  description: [
    'Manages lines in your crontab on this host. ' +
      'Every 15 minutes and at boot, the lines run "start --quiet" with the options of this command. ' +
      'Cron thus restarts a feeder that has ended. Each node has its own crontab.',
    '"add" writes the lines and replaces earlier lines for this queue. ' +
      '"start" writes the lines and also starts a feeder immediately. ' +
      '"delete" removes the lines. ' +
      '"shutdown" and "stop" remove the lines, and then end the feeder as "rq q shutdown" and "rq q stop" do. ' +
      '"tab" only prints the lines.',
    'Each line ends with a comment that names rq and the queue. rq does not change other lines of the crontab.',
  ],
  examples: [
    ['rq q cron start', 'run a feeder on this host from now on, even after a crash or a reboot'],
    ['rq q cron add --max_feed 4 --rotate', 'start a feeder within 15 minutes, and rotate the queue every night'],
    ['rq q cron shutdown', 'end the feeder on this host when the running jobs have finished'],
    ['rq q cron tab', 'print the lines'],
  ],
};

const ACTIONS = ['add', 'start', 'delete', 'shutdown', 'stop', 'tab'] as const;
type Action = (typeof ACTIONS)[number];

interface FeederReport {
  readonly feeder?: 'started' | 'running' | 'ended' | 'none' | 'failed';
  readonly pid?: number | undefined;
  readonly log?: string;
}

/** Changes or prints the crontab lines that keep a feeder running; starts or ends the feeder if the action says so. */
export async function run(call: CommandCall): Promise<undefined> {
  const action = readAction(call.positionals[0] ?? '');
  if (action === 'tab') return await printLines(call);
  const isAdded = action === 'add' || action === 'start';
  const crontab = isAdded ? await addLines(call) : await removeLines(call);
  let feeder: FeederReport = { feeder: 'failed' };
  try {
    feeder = await changeFeeder(call, action);
  } finally {
    // The crontab has changed, so this is reported even if the feeder fails.
    await printReport(call, { ...crontab, ...feeder });
  }
}

function readAction(word: string): Action {
  const action = ACTIONS.find((each) => each === word);
  if (action !== undefined) return action;
  throw new RqError('USAGE', `"${word}" is not an action of cron: use ${ACTIONS.join(', ')}`);
}

async function printLines(call: CommandCall): Promise<undefined> {
  const lines = await makeLines(call);
  const isJson = call.options.flag('json');
  await call.output.write(isJson ? documentText(lines, { json: true }) : `${lines.join('\n')}\n`);
}

async function changeFeeder(call: CommandCall, action: Exclude<Action, 'tab'>): Promise<FeederReport> {
  switch (action) {
    case 'start':
      return await start(call);
    case 'shutdown':
      return await shutdown(call);
    case 'stop':
      return await stop(call);
    case 'add':
    case 'delete':
      return {};
  }
}

/** As `start --quiet`: a feeder that already runs is not an error. */
async function start(call: CommandCall): Promise<FeederReport> {
  const flag = (name: string): boolean => name === 'quiet' || call.options.flag(name);
  try {
    return { feeder: 'started', ...(await startFeeder({ ...call, options: { ...call.options, flag } })) };
  } catch (error) {
    if (!(error instanceof RqError) || error.code !== 'FEEDER_EXISTS') throw error;
    const feeder = await findFeeder(call.queue);
    if (feeder === undefined) throw error;
    return { feeder: 'running', pid: feeder.pid };
  }
}

async function shutdown(call: CommandCall): Promise<FeederReport> {
  const feeder = await findFeeder(call.queue);
  if (feeder === undefined) {
    call.diagnostics.info(`no feeder is running for ${resolve(call.queue)} on ${hostName()}`);
    return { feeder: 'none' };
  }
  await shutDown(call, feeder);
  return { feeder: 'ended', pid: feeder.pid };
}

async function stop(call: CommandCall): Promise<FeederReport> {
  const feeder = await stopFeeder(call);
  return feeder === undefined ? { feeder: 'none' } : { feeder: 'ended', pid: feeder.pid };
}
