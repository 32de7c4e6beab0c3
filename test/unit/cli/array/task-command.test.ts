import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { taskCommand } from '../../../../src/cli/input/array/task-command.ts';
import type { CommandCall } from '../../../../src/cli/parse/command-call.ts';

const call = (...positionals: string[]): CommandCall => ({ command: 'submit', positionals }) as unknown as CommandCall;
const sweepOf = (values: Readonly<Record<string, string>>): { name: string; values: string[] }[] =>
  Object.entries(values).map(([name, value]) => ({ name, values: [value] }));

/** The command line of the only task; undefined if it contains no value. */
function commandOf(words: readonly string[], values: Readonly<Record<string, string>>): string | undefined {
  return taskCommand(call(...words), undefined, sweepOf(values))?.(values);
}

/** What bash writes for a command line. */
function bash(command: string): string {
  const { stdout, stderr, status } = spawnSync('bash', ['-c', command], {
    encoding: 'utf8',
    env: { HOME: '/h', d: 'D' },
  });
  expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
  return stdout;
}

test.each([
  ['echo {a}', 'echo 1'],
  ['echo {a}{a} x{a}y', 'echo 11 x1y'],
  ['echo {b}', "echo 'two words'"],
  [`echo {c} \${a} \\{a} {A} {a`, `echo {c} \${a} \\{a} {A} {a`],
  ['echo {q}', "echo 'it'\\''s'"],
  ['echo {e}|cat', "echo ''|cat"],
  ['echo {a}>f', "echo '1'>f"],
  ['echo $d{a}', "echo $d'1'"],
  ['{k} x', "'if' x"],
  ['{s} x', "'A=1' x"],
  ['echo {{l}}', "echo {'1,2'}"],
  ["awk '{print $1}' {a}", "awk '{print $1}' 1"],
  ['echo "{a} {s}"', 'echo "1 A=1"'],
  ['(cd {b} && ls) # {a}', "(cd 'two words' && ls) # 1"],
  ['cat <<<{b}', "cat <<<'two words'"],
  [`echo "\${HOME}/x" {b} $# \${#b}`, `echo "\${HOME}/x" 'two words' $# \${#b}`],
])('the names in %s are replaced', (command, expected) => {
  const values = { a: '1', b: 'two words', q: "it's", e: '', k: 'if', s: 'A=1', l: '1,2' };
  expect(commandOf([command], values) ?? command).toBe(expected);
});

describe('a value that needs quotes is refused', () => {
  test.each([
    ['in double quotes', 'echo "{b}"'],
    ['in single quotes', "echo '{b}'"],
    ['in ANSI-C quotes', "echo $'{b}'"],
    ['in a substitution in quotes', 'echo "$(cat {b})"'],
    ['in backquotes', 'echo `cat {b}`'],
    ['in a here-document', 'cat <<END\n{b}\nEND'],
    ['in a comment', 'true # {b}'],
    ['in a comment on a line of its own', 'true\n# {b}'],
    ['in arithmetic', 'echo $((1 + {b}))'],
    ['in an expansion', `echo \${x:-{b}}`],
    ['after an open quote', 'echo "{b}'],
    ['joined to a variable in quotes', 'echo "$d{a}"'],
  ])('%s', (_, command) => {
    const values = { a: '1', b: 'two words' };
    expect(() => commandOf([command], values)).toThrow(
      /^cannot submit with --for: \{[ab]\} stands in quotes or in other syntax of the shell, where rq cannot insert ".*"; write \{[ab]\} outside of the quotes, or "\$RQ_FOR_[ab]" in its place$/,
    );
  });
});

test('a command without names is not made again for each task', () => {
  expect(commandOf([`echo \${a} {b}`], { a: '1' })).toBeUndefined();
  expect(commandOf(['echo', '{b}'], { a: '1' })).toBeUndefined();
});

const hostile = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '-n', '~', '*', 'a b', "'", '"', '\\', '$d', '$(id)', '`id`', '!', '#', '{a}', '{b}', '\n'],
  ),
  fc.constantFrom(
    ...['if', 'time', 'A=1', '1', '2', '1,2', '1..3', "'; exit 7; '", '" "', "\\'", 'é€😀', '&', '> /x', '\u007f'],
  ),
  fc.string({ unit: 'binary-ascii', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
);

/** Shell command lines that print NUL after each argument, with what bash passes to the program. */
const LINES: readonly (readonly [line: string, expected: (a: string, b: string) => string[]])[] = [
  ["printf '%s\\0' {a} x{b}y", (a, b) => [a, `x${b}y`]],
  ["printf '%s\\0' {a}{b}{a}", (a, b) => [a + b + a]],
  ["printf '%s\\0' $d{a}", (a) => [`D${a}`]],
  ["printf '%s\\0' {a}>&1 {b}", (a, b) => [a, b]],
  ['(printf \'%s\\0\' "$HOME" {a}); x={b}; printf \'%s\\0\' "$x"', (a, b) => ['/h', a, b]],
  ['printf \'%s\\0\' "$(printf %s {a}x)"', (a) => [`${a}x`]],
  ["printf '%s\\0' $(true {a}) '{c}' {{b}}", (_, b) => ['{c}', `{${b}}`]],
  ['cat <<<{a}{b}; printf "\\0"', (a, b) => [`${a}${b}\n`]],
  ["printf '%s\\0' \"{a}\" '{b}'", (a, b) => [a, b]],
  ["printf '%s\\0' \"-$d-{a}\" $'{b}.'", (a, b) => [`-D-${a}`, `${b}.`]],
  ["printf '%s\\0' \\{a} `printf %s. {b}`", (_, b) => ['{a}', `${b}.`]],
  ["printf '%s\\0' x # {a}\nprintf '%s\\0' {b}", (_, b) => ['x', b]],
];

test('bash passes exactly the values to the program, or rq refuses them', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LINES), hostile, hostile, ([line, expected], a, b) => {
      let command: string | undefined;
      try {
        command = commandOf([line], { a, b });
      } catch (error) {
        expect(String(error)).toContain('where rq cannot insert');
        return;
      }
      expect(bash(command ?? '')).toBe(
        expected(a, b)
          .map((text) => `${text}\0`)
          .join(''),
      );
    }),
    { numRuns: 400 },
  );
});

test('a program receives exactly its arguments with the values in them', () => {
  const words = ['printf', '%s\\0', '{a}', '-{b}-{a}', '{c}', "'{b}'", `$d \${a}`];
  fc.assert(
    fc.property(hostile, hostile, (a, b) => {
      const expected = [a, `-${b}-${a}`, '{c}', `'${b}'`, `$d \${a}`];
      expect(bash(commandOf(words, { a, b }) ?? '')).toBe(expected.map((text) => `${text}\0`).join(''));
    }),
    { numRuns: 200 },
  );
});
