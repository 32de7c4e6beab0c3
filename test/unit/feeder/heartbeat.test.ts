import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Heartbeat, type NodeFacts } from '../../../src/feeder/host/heartbeat.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a heartbeat is overdue after two intervals, including time in which the host was suspended', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'nodes'));
  const clock = new ManualClock();
  const events = new FeederEvents(pino({ level: 'silent' }));
  const heartbeat = new Heartbeat(directory, { host: 'here', beat: 30, clock_offset_s: 0 } as NodeFacts, clock, events);
  heartbeat.start();
  clock.pass(60_000);
  expect(heartbeat.isOverdue).toBe(false);
  clock.sleepThrough(1);
  expect(heartbeat.isOverdue).toBe(true);
  heartbeat.send();
  expect(heartbeat.isOverdue).toBe(false);
  heartbeat.stop(true);
});

test('a failing heartbeat is logged once, and once when it recovers', () => {
  const directory = temporaryDirectory();
  const nodes = join(directory, 'nodes');
  mkdirSync(nodes);
  const lines: string[] = [];
  const events = new FeederEvents(pino({ base: null }, { write: (line: string) => void lines.push(line) }));
  const facts = { host: 'here', beat: 3600, clock_offset_s: 0 } as NodeFacts;
  const heartbeat = new Heartbeat(directory, facts, new ManualClock(), events);
  heartbeat.start();
  expect(heartbeat.send()).toBe(true);
  expect(lines).toEqual([]);
  renameSync(nodes, `${nodes}.away`);
  writeFileSync(nodes, '');
  expect([heartbeat.send(), heartbeat.send()]).toEqual([false, false]);
  expect(lines).toEqual([expect.stringMatching(/ENOTDIR.*heartbeat failed/)]);
  renameSync(`${nodes}`, `${nodes}.file`);
  mkdirSync(nodes);
  expect([heartbeat.send(), heartbeat.send()]).toEqual([true, true]);
  expect(lines).toEqual([expect.anything(), expect.stringContaining('heartbeat recovered')]);
  expect(statSync(join(nodes, 'here')).isFile()).toBe(true);
  heartbeat.stop(true);
});

test('the time stamp of a heartbeat is in the time of the server’s clock', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'nodes'));
  const clock = new ManualClock();
  const events = new FeederEvents(pino({ level: 'silent' }));
  const heartbeat = new Heartbeat(
    directory,
    { host: 'here', beat: 30, clock_offset_s: -120 } as NodeFacts,
    clock,
    events,
  );
  heartbeat.start();
  expect(heartbeat.send()).toBe(true);
  expect(statSync(join(directory, 'nodes', 'here')).mtimeMs - Date.parse(clock.now())).toBe(120_000);
  heartbeat.stop(true);
});
