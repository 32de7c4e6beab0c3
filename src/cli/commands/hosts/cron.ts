import { resolve } from 'node:path';
import { RqError } from '../../../job/errors.ts';
import { hostName } from '../../../job/host.ts';
import { documentText } from '../../../yaml/document.ts';
import { printReport } from '../../output/print.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import { nearestHint } from '../../parse/suggestions.ts';
import { addLines, type CrontabReport, removeLines, wantedLines } from './cron-change.ts';
import { findFeeder } from './feeder-process.ts';
import { shutDown } from './shutdown.ts';
import { startFeeder } from './start.ts';
import { stopFeeder } from './stop.ts';

const ACTIONS = ['add', 'start', 'delete', 'shutdown', 'stop', 'tab'] as const;
type Action = (typeof ACTIONS)[number];

interface FeederReport {
  readonly feeder?: 'started' | 'running' | 'ended' | 'none' | 'failed';
  readonly pid?: number | undefined;
  readonly log?: string;
}

/** Writes, removes or prints the lines of the crontab that keep a feeder alive. */
export async function run(call: CommandCall): Promise<undefined> {
  const action = readAction(call.positionals[0] ?? '');
  switch (action) {
    case 'tab':
      return await printLines(call);
    case 'add':
      return await print(call, await addLines(call), {});
    case 'start':
      return await printWith(call, await addLines(call), () => start(call));
    case 'delete':
      return await print(call, await removeLines(call), {});
    case 'shutdown':
      return await printWith(call, await removeLines(call), () => shutdown(call));
    case 'stop':
      return await printWith(call, await removeLines(call), () => stop(call));
  }
}

function readAction(word: string): Action {
  const action = ACTIONS.find((each) => each === word);
  if (action !== undefined) return action;
  const hint = nearestHint(word, ACTIONS) || '.';
  throw new RqError('USAGE', `cron has no "${word}"${hint} It has ${ACTIONS.join(', ')}`);
}

async function printLines(call: CommandCall): Promise<undefined> {
  const lines = await wantedLines(call);
  const isJson = call.options.flag('json');
  await call.output.write(isJson ? documentText(lines, { json: true }) : `${lines.join('\n')}\n`);
}

async function print(call: CommandCall, crontab: CrontabReport, feeder: FeederReport): Promise<undefined> {
  await printReport(call, { ...crontab, ...feeder });
}

/** What became of the crontab is printed also where the feeder then fails. */
async function printWith(
  call: CommandCall,
  crontab: CrontabReport,
  work: () => Promise<FeederReport>,
): Promise<undefined> {
  let feeder: FeederReport = { feeder: 'failed' };
  try {
    feeder = await work();
  } finally {
    await print(call, crontab, feeder);
  }
}

/** As `start --quiet`: a feeder that feeds already is fine. */
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
    call.diagnostics.info(`no feeder feeds from ${resolve(call.queue)} on ${hostName()}`);
    return { feeder: 'none' };
  }
  await shutDown(call, feeder);
  return { feeder: 'ended', pid: feeder.pid };
}

async function stop(call: CommandCall): Promise<FeederReport> {
  const feeder = await stopFeeder(call);
  return feeder === undefined ? { feeder: 'none' } : { feeder: 'ended', pid: feeder.pid };
}
