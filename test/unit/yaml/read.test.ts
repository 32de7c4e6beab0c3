import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_COMMAND_BYTES } from '../../../src/job/limits.ts';
import { isDocument, readSubmittedEntries, type SubmittedEntry } from '../../../src/yaml/read.ts';
import { jobListText } from '../../../src/yaml/write.ts';
import { anyJob, joined } from './arbitrary.ts';

function read(text: string | Uint8Array): Promise<SubmittedEntry[]> {
  return readSubmittedEntries(typeof text === 'string' ? Buffer.from(text) : text, 'stdin');
}

describe('a list of command lines', () => {
  it('skips blank lines and comments, and keeps white space within a line', async () => {
    const entries = await read('# a list\n\necho a # b  \n   \n  echo b\n#c\nlast');
    expect(entries.map(({ line, command }) => [line, command])).toEqual([
      [3, 'echo a # b  '],
      [5, '  echo b'],
      [7, 'last'],
    ]);
  });

  it('reads any list of plain lines unchanged', async () => {
    const line = fc.string({ unit: 'grapheme-ascii' }).filter((text) => /^[a-z]/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1 }), async (lines) => {
        expect((await read(`${lines.join('\n')}\n`)).map(({ command }) => command)).toEqual(lines);
      }),
    );
  });

  it.each([
    ['[ -f x ] && echo yes'],
    ['[[ -f x ]] && echo yes'],
    ['{ echo a; echo b; }'],
    ['(cd x; make)'],
    ['--help'],
    ['command:x echo'],
    ["'command:' echo"],
    ['    command: echo'],
    ['jid: x'],
    ['"my program" a'],
  ])('reads %s as a command line, not as a document', async (line) => {
    expect((await read(`${line}\nnext\n`)).map(({ command }) => command)).toEqual([line, 'next']);
  });

  it.each([
    ['a\nb\r\n', 'line 2 of stdin: the command ends with CR LF'],
    ['a\nb\0c\n', 'line 2 of stdin: the command contains a NUL byte; check that the input is not a binary file'],
    [`a\n${'x'.repeat(MAX_COMMAND_BYTES + 1)}\n`, 'line 2 of stdin: the command is longer than'],
    [new Uint8Array([0x61, 0x0a, 0x0a, 0xff, 0xfe]), 'line 3 of stdin is not UTF-8; nothing was submitted'],
    ['command: echo hi\npriority: 5\n', 'line 1 of stdin: the command is a field of a job in YAML: put "---" before'],
    ['jid: 3\n  priority: 0\n  command: true\n', 'line 1 of stdin: the command is a field of a job in YAML'],
    ['true\n  priority: 0\n  command: |-\n', 'line 3 of stdin: the command is a field of a job in YAML'],
    ['true\n- jid: 4\n', 'line 2 of stdin: the command is a field of a job in YAML'],
    ['true\n-\n  command: echo\n', 'line 3 of stdin: the command is a field of a job in YAML'],
    ['true\n- command: echo\n', 'line 2 of stdin: the command is a field of a job in YAML'],
    ['', 'there are no jobs in stdin'],
    ['# nothing\n\n', 'there are no jobs in stdin'],
    ['--- []\n', 'there are no jobs in stdin'],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });
});

describe('a document', () => {
  it.each([
    '---\n- a',
    '--- []',
    '-\n  command: a',
    '- command: a',
    '- a',
    '[{"jid": 1',
    '["a",',
    '[]',
    '{"command":',
    '[\n{"jid":1}',
    '# x\n---\n',
    '%YAML 1.2\n---\n',
  ])('is recognised in %j', (text) => {
    expect(isDocument(text)).toBe(true);
  });

  it('is read back as printed, without the fields that a submitter cannot set', async () => {
    const jobs = fc
      .sample(anyJob, 50)
      .map((job, jid) => ({ ...job, jid, command: 'x', tag: 't', note: 'n', cwd: '/a', env: { A: '\n' } }));
    for (const [json, full] of [
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ] as const) {
      const entries = await read(await joined(jobListText([jobs], { json, full })));
      expect(entries.length).toBe(50);
      for (const [index, entry] of entries.entries()) {
        expect(entry).toMatchObject({
          command: 'x',
          tag: 't',
          cwd: '/a',
          env: { A: '\n' },
          priority: jobs[index]?.priority,
        });
        expect(Object.keys(entry)).not.toContain('runner');
        expect(Object.keys(entry)).not.toContain('jid');
      }
    }
  });

  it('may be hand-written YAML with text as command lines, comments and several documents', async () => {
    const entries = await read(
      '---\n# mine\n- echo a\n- command: |-\n    b\n    c\n  priority: 3\n---\ncommand: d\nrestartable: true\n',
    );
    expect(entries).toEqual([
      { line: 3, command: 'echo a' },
      { line: 4, command: 'b\nc', priority: 3 },
      { line: 9, command: 'd', restartable: true },
    ]);
  });

  it('causes an error that names the invalid entry among a thousand', async () => {
    const good = '- command: x\n'.repeat(500);
    const text = `---\n${good}- command: x\n  priority: high\n${good}`;
    await expect(read(text)).rejects.toThrow(/job 501 of stdin \(line 502\): priority must be a whole number/);
  });

  it.each([
    ['- command: x\n  comand: y\n', 'there is no field "comand"; did you mean command?'],
    ['- priority: 1\n', 'the job has no command'],
    ['- command: 42\n', 'command must be text, not 42'],
    ['- command: "  "\n', 'command is empty'],
    ['- command: x\n  command: y\n', 'unique'],
    ['- command: x\n  restartable: yes\n', 'restartable must be true or false, not "yes"'],
    ['- command: x\n  tag: "a\\nb"\n', 'tag must be one line'],
    ['- command: x\n  tag: 7\n', 'tag must be text'],
    ['- command: x\n  runners: "a b"\n', 'runners must be host names or globs'],
    ['- command: x\n  cwd: here\n', 'cwd must be an absolute path'],
    ['- command: x\n  priority: 1.5\n', 'priority must be a whole number'],
    ['- command: x\n  priority: 2147483648\n', 'priority must be a whole number'],
    ['- command: x\n  priority: .inf\n', 'not Infinity'],
    ['- !!js/function x\n', 'tag'],
    ['- !!str x\n', 'the tag'],
    ['- command: !shell x\n', 'tag'],
    ['- <<: {command: x}\n', 'there is no field "<<"'],
    ['- [a]\n', 'each entry must be a job'],
    ['- 42\n', 'each entry must be a job'],
    ['[{"command": "a", "command": "b"}]', 'unique'],
    ['[{"command": "\\ud800"}]', 'not valid Unicode'],
    ['[{"command": "a"', 'line 1'],
    ['- command: "a\\0b"\n', 'command contains a NUL byte'],
    ['---\n- command: a\n bad\n', 'line'],
  ])('refuses %j', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });

  it('refuses nested aliases that expand exponentially', async () => {
    const levels = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level += 1) {
      const aliases = Array.from({ length: 9 }, () => `*a${level - 1}`).join(',');
      levels.push(`a${level}: &a${level} [${aliases}]`);
    }
    await expect(read(`---\n${levels.join('\n')}\n`)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('refuses lists that are nested too deeply for the stack', async () => {
    await expect(read(`- ${'['.repeat(100_000)}`)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('refuses keys that are properties of every object', async () => {
    await expect(read('- command: x\n  __proto__: {a: 1}\n')).rejects.toThrow(/no field "__proto__"/);
    await expect(read('- command: x\n  constructor: y\n')).rejects.toThrow(/no field "constructor"/);
  });
});
