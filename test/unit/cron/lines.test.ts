import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteCommand, quoteWord } from '../../../src/cli/parse/shell-words.ts';
import { cronLine, type IsOwn, ownLines, replaceLines } from '../../../src/cron/lines.ts';

const line = (queue: string, when = '@reboot'): string =>
  cronLine({ when, command: quoteCommand(['rq', queue, 'start']) }, quoteWord(queue));

/** Matches the lines of exactly this path. */
function isOwn(queue: string): IsOwn {
  const word = quoteWord(queue).replaceAll('%', `'\\%'`);
  return (found) => found === word;
}

const anyPath = fc
  .array(fc.oneof(fc.constantFrom(' # rq cron /q', "'", '%', '\\', ' ', '/q', '#'), fc.string()), { maxLength: 6 })
  .map((parts) => `/${parts.join('').replaceAll(/[\n\0]/g, '')}`);

/** Arbitrary bytes and typical lines. */
const anyCrontab = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom('\n', '\r\n', '# rq cron /q', 'MAILTO=me', '\t*  * * * * date\n', '\xff', '#\n')
        .map((text) => Buffer.from(text, 'latin1')),
    ),
  )
  .map((parts) => Buffer.concat(parts));

describe('adding and removing', () => {
  it('restores the same bytes, except for a missing final newline', () => {
    fc.assert(
      fc.property(anyCrontab, anyPath, (crontab, queue) => {
        fc.pre(ownLines(crontab, () => true).length === 0);
        const lines = [line(queue), line(queue, '*/15 * * * *')];
        const added = replaceLines(crontab, isOwn(queue), lines);
        const newline = crontab.length > 0 && crontab.at(-1) !== 10 ? '\n' : '';
        expect(added.subarray(0, crontab.length).equals(crontab)).toBe(true);
        expect(ownLines(added, isOwn(queue))).toEqual(lines);
        const removed = replaceLines(added, isOwn(queue), []);
        expect(removed.equals(Buffer.concat([crontab, Buffer.from(newline)]))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('the lines of another queue stay unchanged and in place', () => {
    fc.assert(
      fc.property(anyPath, anyPath, (one, other) => {
        fc.pre(one !== other);
        const both = Buffer.from(`${line(one)}\n${line(other)}\n`);
        expect(replaceLines(both, isOwn(one), []).toString()).toBe(`${line(other)}\n`);
        expect(replaceLines(both, isOwn(one), [line(one, '@daily')]).toString()).toBe(
          `${line(one, '@daily')}\n${line(other)}\n`,
        );
      }),
      { numRuns: 500 },
    );
  });

  it('is idempotent', () => {
    const own = isOwn('/q');
    const once = replaceLines(Buffer.from('a\n'), own, [line('/q')]);
    expect(replaceLines(once, own, [line('/q')])).toEqual(once);
  });

  it('recognises its lines after an editor changed their time or line ends', () => {
    const crontab = Buffer.from(`a\r\n${line('/q', '*/5 * * * *')} \r\nb\r\n`);
    expect(replaceLines(crontab, isOwn('/q'), []).toString()).toBe('a\r\nb\r\n');
  });

  it.each([`# ${line('/q')}`, `  #${line('/q')}`, `${line('/q')} and more`, 'x # rq cron /q/', 'x # rq cron q'])(
    'keeps comments and lines that do not end with the mark of the queue: %s',
    (other) => {
      const crontab = Buffer.from(`${other}\n`);
      expect(replaceLines(crontab, isOwn('/q'), [])).toEqual(crontab);
    },
  );
});

/** The command that do_command of Vixie cron runs: an unescaped % begins the stdin. */
function asVixie(command: string): string {
  let shell = '';
  let isEscaped = false;
  for (const character of command) {
    if (isEscaped && character === '%') shell = shell.slice(0, -1);
    if (!isEscaped && character === '%') break;
    shell += character;
    isEscaped = !isEscaped && character === '\\';
  }
  return shell;
}

describe('a line', () => {
  it.each([
    ['reads \\% as %', asVixie],
    ['leaves \\% to the shell', (command: string) => command],
  ])('passes exact arguments to the command if cron %s', (_, cron) => {
    const lists = fc.sample(fc.array(anyPath, { minLength: 1, maxLength: 3 }), 30);
    for (const words of [...lists, ['/a\\%b', "/%%'%\\"]]) {
      const text = cronLine({ when: '@reboot', command: quoteCommand(['printf', '%s\\0', ...words]) }, '/q');
      const { stdout, stderr } = spawnSync('sh', ['-c', cron(text.replace('@reboot ', ''))], { encoding: 'utf8' });
      expect([stdout, stderr]).toEqual([words.map((word) => `${word}\0`).join(''), '']);
    }
  });

  it('is refused for a path with a newline, or if cron would truncate it', () => {
    expect(() => line('/a\nb')).toThrow('contains a newline');
    expect(() => line(`/${'a'.repeat(600)}`)).toThrow('cron allows only 998');
  });
});
