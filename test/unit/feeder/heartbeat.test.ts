import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Beat, type NodeFacts } from '../../../src/feeder/host/heartbeat.ts';
import { FeederEvents } from '../../../src/log/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('A beat is overdue after two intervals, also where the host slept in them', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'nodes'));
  const clock = new ManualClock();
  const events = new FeederEvents(pino({ level: 'silent' }));
  const beat = new Beat(directory, { host: 'here', beat: 30, clock_offset_s: 0 } as NodeFacts, clock, events);
  beat.start();
  clock.pass(60_000);
  expect(beat.isOverdue).toBe(false);
  clock.sleepThrough(1);
  expect(beat.isOverdue).toBe(true);
  beat.beat();
  expect(beat.isOverdue).toBe(false);
  beat.stop(true);
});

test('A feeder that cannot give a sign of life says so once, and once that it can again', () => {
  const directory = temporaryDirectory();
  const nodes = join(directory, 'nodes');
  mkdirSync(nodes);
  const lines: string[] = [];
  const events = new FeederEvents(pino({ base: null }, { write: (line: string) => void lines.push(line) }));
  const facts = { host: 'here', beat: 3600, clock_offset_s: 0 } as NodeFacts;
  const beat = new Beat(directory, facts, new ManualClock(), events);
  beat.start();
  expect(beat.beat()).toBe(true);
  expect(lines).toEqual([]);
  renameSync(nodes, `${nodes}.away`);
  writeFileSync(nodes, '');
  expect([beat.beat(), beat.beat()]).toEqual([false, false]);
  expect(lines).toEqual([expect.stringMatching(/ENOTDIR.*no sign of life can be given/)]);
  renameSync(`${nodes}`, `${nodes}.file`);
  mkdirSync(nodes);
  expect([beat.beat(), beat.beat()]).toEqual([true, true]);
  expect(lines).toEqual([expect.anything(), expect.stringContaining('signs of life are given again')]);
  expect(statSync(join(nodes, 'here')).isFile()).toBe(true);
  beat.stop(true);
});

test('The time stamp of a beat is by the clock of the server', () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'nodes'));
  const clock = new ManualClock();
  const events = new FeederEvents(pino({ level: 'silent' }));
  const beat = new Beat(directory, { host: 'here', beat: 30, clock_offset_s: -120 } as NodeFacts, clock, events);
  beat.start();
  expect(beat.beat()).toBe(true);
  expect(statSync(join(directory, 'nodes', 'here')).mtimeMs - Date.parse(clock.now())).toBe(120_000);
  beat.stop(true);
});
