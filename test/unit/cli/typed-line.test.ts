import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bashReplacement, readTypedLine } from '../../../src/cli/help/completion/typed-line.ts';
import { printableLine } from '../../../src/job/printable.ts';

const ENVIRONMENT = { HOME: '/home/u', SCRATCH: '/scratch/u' };

describe('a line that is being typed', () => {
  it.each([
    ['rq', [], 'rq'],
    ['rq ', [], ''],
    ['rq q li', ['q'], 'li'],
    ['RQ_Q=x FOO="a b" rq li', [], 'li'],
    ['rq my\\ queue ', ['my queue'], ''],
    ['rq "my queue" \'a b\'c', ['my queue'], 'a bc'],
    ['rq "a\\"b$x\\$y" ', ['a"b$y'], ''],
    [
      'rq ~/q ~x $SCRATCH/q "$SCRATCH" \'$SCRATCH\' ',
      ['/home/u/q', '~x', '/scratch/u/q', '/scratch/u', '$SCRATCH'],
      '',
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell variable.
    ['rq ${SCRATCH}/q ~/x$SCRATCH', ['/scratch/u/q'], '~/x$SCRATCH'],
    ['rq q "tag=a b', ['q'], 'tag=a b'],
    ["rq q 'tag=a \\", ['q'], 'tag=a \\'],
    ['rq q tag=a\\ ', ['q'], 'tag=a '],
    ['rq q $(rm -rf x) ', ['q', '$(rm', '-rf', 'x)'], ''],
  ])('is split into words: %s', (line, previous, current) => {
    expect(readTypedLine(line, ENVIRONMENT)).toMatchObject({ previous, current });
  });

  it('is split as bash does, and bash reads each replacement as the candidate', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => printableLine(each) === each);
    const candidates = fc.array(text, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(candidates, (texts) => {
        const words = texts.flatMap((text) => [
          bashReplacement(text, '', ''),
          `'${bashReplacement(text, "'", '')}'`,
          `"${bashReplacement(text, '"', '')}"`,
          `a=${bashReplacement(`a=${text}`, 'a=', '')}`,
        ]);
        const wanted = texts.flatMap((text) => [text, text, text, `a=${text}`]);
        const { stdout } = spawnSync('bash', ['-c', `printf '%s\\0' ${words.join(' ')}`], { encoding: 'utf8' });
        expect(stdout.split('\0').slice(0, -1)).toEqual(wanted);
        expect(readTypedLine(`rq ${words.join(' ')} `, {}).previous).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });
});
