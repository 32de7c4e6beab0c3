import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Job } from '../../../src/job/job.ts';
import { documentText } from '../../../src/yaml/document.ts';
import { jobListText } from '../../../src/yaml/write.ts';
import { anyJob, HOSTILE_TEXTS, joined, withoutNulls } from './arbitrary.ts';

const READERS = [
  {
    name: "Ruby's Psych",
    program: 'ruby',
    check: ['-ryaml', '-e', ''],
    words: ['-ryaml', '-rjson', '-e', 'STDIN.set_encoding("UTF-8"); puts JSON.generate(YAML.load(STDIN.read))'],
  },
  {
    name: 'PyYAML',
    program: '/usr/bin/python3',
    check: ['-c', 'import yaml'],
    words: [
      '-c',
      'import sys, json, yaml; print(json.dumps(yaml.load(sys.stdin.buffer.read().decode(), Loader=yaml.SafeLoader)))',
    ],
  },
] as const;

function hostileJobs(): Job[] {
  const jobs = fc.sample(anyJob, { numRuns: 1000, seed: 42 });
  return jobs.map((job, index) => ({
    ...job,
    command: HOSTILE_TEXTS[index] ?? job.command,
    tag: HOSTILE_TEXTS[index] ?? job.tag,
  }));
}

for (const { name, program, check, words } of READERS) {
  const isInstalled = spawnSync(program, check).status === 0;
  const skipped = isInstalled ? '' : ` (skipped: ${program} is not installed)`;

  it.skipIf(!isInstalled)(`${name} reads 1000 hostile jobs exactly${skipped}`, { timeout: 60_000 }, async () => {
    const jobs = hostileJobs();
    expect(read(await joined(jobListText([jobs])))).toEqual(jobs.map(withoutNulls));
  });

  it.skipIf(!isInstalled)(`${name} reads a nested report exactly${skipped}`, () => {
    const report = {
      ...Object.fromEntries(
        HOSTILE_TEXTS.filter((text) => text !== '<<' && text.length < 500).map((text, index) => [`${text}`, index]),
      ),
      lists: [[1, [2, []]], { a: { b: [{ c: null, d: {} }] } }, 'no', 1e-7, true],
    };
    expect(read(documentText(report))).toEqual(report);
  });

  function read(text: string): unknown {
    const { stdout, stderr } = spawnSync(program, words, { input: text, maxBuffer: 1e9, encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }
}
