import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Workbench } from '../../support/program.ts';
import { waitFor } from '../../support/wait-for.ts';

const CALLS = [
  ['submit --stdin', 'read', ['submit', '--stdin=-', 'cat']],
  ['list --snapshot', 'exclusive', ['list', '--snapshot']],
] as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

test.each(CALLS.flatMap(([name, ...call]) => SIGNALS.map((signal) => [signal, name, ...call] as const)))(
  '%s ends %s and removes its private copy',
  async (signal, _, kind, words) => {
    const bench = new Workbench();
    await bench.must(['QUEUE', 'create']);
    const temporary = join(bench.directory, 'tmp');
    mkdirSync(temporary);
    const holder = bench.start(['QUEUE', 'lock', kind, '--', 'sh', '-c', 'touch held; exec sleep 1000']);
    await waitFor(() => existsSync(join(bench.directory, 'held')));
    const isLeased = (): boolean => readdirSync(bench.queue).some((entry) => /^lease\.\d+$/.test(entry));
    const call = bench.start(['QUEUE', ...words], { input: 'text', environment: { TMPDIR: temporary } });
    // Submit now holds the lease and waits for SQLite's lock; list has created its directory and waits for that lock.
    await waitFor(() => readdirSync(temporary).length === 1 && (isLeased() || kind === 'exclusive'));
    call.child.kill(signal);
    expect(await call.ended).toMatchObject({ status: null, signal });
    expect(readdirSync(temporary)).toEqual([]);
    if (kind === 'read') expect(isLeased()).toBe(false);
    holder.child.kill('SIGTERM');
    await holder.ended;
  },
);
