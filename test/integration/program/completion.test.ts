import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ROOT, Workbench } from '../../support/program.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = new Workbench();
  await bench.must(['QUEUE', 'create']);
  for (const tag of ['night', 'ninja', 'other']) await bench.must(['QUEUE', 'submit', '-q', `--tag=${tag}`, 'true']);
});

async function candidates(words: string[], environment: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const text = await bench.must(['completion', '--complete', '--', ...words], { environment });
  return text.split('\n').filter((line) => line !== '');
}

describe('candidates', () => {
  test('are modes, options, states, tags, jids and fields, where each may stand', async () => {
    expect(await candidates([bench.queue, 'li'])).toEqual(['list']);
    expect(await candidates(['QUEUE', ''])).toContain('rotate');
    expect(await candidates(['li'])).toEqual([]);
    expect(await candidates(['li'], { RQ_Q: bench.queue })).toEqual(['list']);
    expect(await candidates(['he'])).toEqual(['help']);
    expect(await candidates(['help', 'subm'])).toEqual(['submit']);
    expect(await candidates(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
    expect(await candidates(['QUEUE', 'list', ''])).toEqual([
      'pending',
      'holding',
      'running',
      'finished',
      'dead',
      'all',
      'tag=',
      '3',
      '2',
      '1',
    ]);
    expect(await candidates(['list', 'tag=ni'], { RQ_Q: bench.queue })).toEqual(['tag=night', 'tag=ninja']);
    expect(await candidates(['QUEUE', 'stdout', ''])).toEqual(['3', '2', '1']);
    expect(await candidates(['QUEUE', 'submit', '--tag', 'o'])).toEqual(['other']);
    expect(await candidates(['QUEUE', 'create', '--mode', ''])).toEqual(['private', 'group']);
    expect(await candidates(['QUEUE', 'list', '-f', 'jid,ru'])).toEqual(['jid,runner', 'jid,runners']);
    expect(await candidates(['QUEUE', 'feed', '--max'])).toEqual(['--max_feed', '--max_sleep']);
    expect(await candidates(['QUEUE', 'create', '--locking', 'lease', '--mo'])).toEqual(['--mode']);
  });

  test('are none, and nothing is said, where there is no queue', async () => {
    const { status, stdout, stderr } = await bench.run(['completion', '--complete', '--', '/nonesuch', 'stdout', '']);
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });
});

test('bash completes by the script', async () => {
  const tab = async (line: string): Promise<string[]> => {
    const { stdout } = await bench.shell(
      `source <(rq completion bash); COMP_LINE=${JSON.stringify(line)}; COMP_POINT=\${#COMP_LINE}
      _rq 2>/dev/null; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    return stdout.trim().split('\n');
  };
  expect(await tab('rq q upd')).toEqual(['update']);
  expect(await tab('rq q list tag=ni')).toEqual(['night', 'ninja']);
  expect(await tab('rq q stdout ')).toEqual(['3', '2', '1']);
  mkdirSync(join(bench.directory, 'dir'));
  expect(await tab('rq di')).toEqual(['']);
  expect(
    (await bench.shell(`complete -p rq 2>/dev/null || source <(${ROOT}bin/rq completion bash); complete -p rq`)).stdout,
  ).toContain('-o default');
});

test('another shell is a clear error', async () => {
  const { status, stderr } = await bench.run(['completion', 'tcsh']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('There are bash, zsh, fish')]);
});
