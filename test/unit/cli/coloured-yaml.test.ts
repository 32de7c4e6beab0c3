import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colouredPieces, colouredYaml } from '../../../src/cli/output/coloured-yaml.ts';
import type { Job } from '../../../src/job/job.ts';
import { documentText } from '../../../src/yaml/document.ts';
import { jobListText } from '../../../src/yaml/write.ts';
import { anyJob } from '../yaml/arbitrary.ts';

const ESCAPE = '\u001b';
const SGR = new RegExp(`${ESCAPE}\\[(\\d+)m`, 'g');
// biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them.
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const RED = '\u001b[31m';

async function joined(pieces: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

async function* cut(text: string, lengths: readonly number[]): AsyncGenerator<string> {
  let at = 0;
  for (const length of lengths) {
    yield text.slice(at, at + length);
    at += length;
  }
  yield text.slice(at);
}

/** Coloured YAML with the names of the colours in place of the escape sequences. */
function shown(yaml: string): string {
  const names: Record<string, string> = { 31: 'red', 32: 'green', 33: 'yellow', 35: 'magenta', 36: 'key', 94: 'blue' };
  return colouredYaml(yaml).replaceAll(SGR, (_, sgr: string) => (sgr === '39' ? '>' : `<${names[sgr]} `));
}

describe('coloured YAML', () => {
  it('does not depend on where pieces end, and without colours equals the text, which has no control characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { maxLength: 5 }), fc.array(fc.nat(200)), async (jobs, lengths) => {
        const plain = await joined(jobListText([jobs as Job[]]));
        expect(plain).not.toMatch(CONTROLS);
        const coloured = await joined(colouredPieces(cut(plain, lengths)));
        expect(coloured).toBe(colouredYaml(plain));
        expect(coloured.replaceAll(SGR, '')).toBe(plain);
      }),
    );
  });

  it('colours every key and state, but not values that look like them', () => {
    expect(shown('---\n-\n  jid: 1\n  state: pending\n  command: "state: dead"\n')).toBe(
      '---\n-\n  <key jid>: 1\n  <key state>: <yellow pending>\n  <key command>: "state: dead"\n',
    );
    const states = ['holding', 'running', 'finished', 'dead', 'null'].map((state) => shown(`  state: ${state}\n`));
    expect(states.map((line) => line.slice(15, -1))).toEqual([
      '<magenta holding>',
      '<blue running>',
      '<green finished>',
      '<red dead>',
      'null',
    ]);
    const report = documentText({ jobs: { pending: 1 }, 'a: b': ['c: d', { each: [] }], '42': true });
    expect(shown(report)).toBe(
      '---\n<key "42">: true\n<key jobs>:\n  <key pending>: 1\n<key "a: b">:\n  - "c: d"\n  -\n    <key each>: []\n',
    );
  });

  it('a failed job is red even if its exit status comes first or in another piece', async () => {
    const good = '-\n  jid: 1\n  state: finished\n  exit_status: 0\n';
    const bad = '-\n  exit_status: 3\n  state: finished\n';
    const killed = '-\n  state: finished\n  signal: SIGKILL\n';
    const coloured = (await joined(colouredPieces(cut(`---\n${good}${bad}${killed}`, [20, 40, 30])))).split(/^-$/m);
    expect(coloured.map((entry) => entry.split(RED).length - 1)).toEqual([0, 0, 2, 2]);
  });
});
