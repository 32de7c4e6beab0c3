import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { amdDevices } from '../../../src/feeder/gpus/amd.ts';
import { type FoundGpus, visibleDevices } from '../../../src/feeder/gpus/find-gpus.ts';
import { parseGpuChoice } from '../../../src/feeder/gpus/gpu-choice.ts';
import { gpuVariables } from '../../../src/feeder/gpus/gpu-variables.ts';
import { nvidiaDevices, parseList } from '../../../src/feeder/gpus/nvidia.ts';
import { selectGpus } from '../../../src/feeder/gpus/select-gpus.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const LIST = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f)
  MIG 3g.20gb     Device  0: (UUID: MIG-7089d0f3-293f-58c9-8f8c-5ea666eedbde)
  MIG 2g.10gb     Device  1: (UUID: MIG-56c30729-347f-5dd6-8da0-c3cc59e969e0)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-0f2b9e4a-1111-2222-3333-444455556666)
`;

/** A program that prints the list as nvidia-smi does, or behaves otherwise. */
function program(script: string): string {
  const path = join(temporaryDirectory(), 'nvidia-smi');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

describe('the GPUs that nvidia-smi lists', () => {
  test('are GPUs, or the parts of a divided GPU', () => {
    expect(parseList(LIST)).toEqual([
      'MIG-7089d0f3-293f-58c9-8f8c-5ea666eedbde',
      'MIG-56c30729-347f-5dd6-8da0-c3cc59e969e0',
      'GPU-0f2b9e4a-1111-2222-3333-444455556666',
    ]);
  });

  test('are none if there is no such program, or no driver', async () => {
    expect(await nvidiaDevices('/nowhere/nvidia-smi')).toEqual({ devices: [] });
    expect(await nvidiaDevices(program('echo "cannot communicate with the driver"; exit 9'))).toEqual({ devices: [] });
  });

  test('are read from the program', async () => {
    const { devices } = await nvidiaDevices(program(`[ "$1" = -L ] && cat <<'END'\n${LIST}END`));
    expect(devices).toHaveLength(3);
  });

  test.each([
    ['hangs', 'exec sleep 600'],
    ['leaves a process that keeps its output open', 'sleep 600 & echo $! >"$0.pid"; wait'],
  ])('are none, with the reason, if the program %s', async (_, script) => {
    const path = program(script);
    const startMs = performance.now();
    expect(await nvidiaDevices(path, 300)).toEqual({
      devices: [],
      problem: '"nvidia-smi -L" did not end within 0.3 s',
    });
    expect(performance.now() - startMs).toBeLessThan(10_000);
    if (script.includes('.pid')) process.kill(Number(readFileSync(`${path}.pid`, 'utf8')), 'SIGKILL');
  });
});

test('the GPUs of AMD are the nodes of the kernel with compute units, by UUID or by index', () => {
  const topology = temporaryDirectory();
  const nodes = [
    'cpu_cores_count 64\nsimd_count 0\nunique_id 0\n',
    'cpu_cores_count 0\nsimd_count 440\nunique_id 802846614275209387\n',
    'cpu_cores_count 0\nsimd_count 8\nunique_id 0\n',
  ];
  for (const [index, text] of nodes.entries()) {
    mkdirSync(join(topology, String(index)));
    writeFileSync(join(topology, String(index), 'properties'), text);
  }
  mkdirSync(join(topology, '10'));
  expect(amdDevices(topology)).toEqual(['GPU-0b2448bdf4ffb8ab', '1']);
  expect(amdDevices(join(topology, 'missing'))).toEqual([]);
});

describe('the option --gpus', () => {
  test.each([
    ['none', { kind: 'none' }],
    ['4', { kind: 'count', count: 4 }],
    ['0,2', { kind: 'list', names: ['0', '2'] }],
    ['3-3', { kind: 'list', names: ['3'] }],
    ['0,2-4,GPU-5c8', { kind: 'list', names: ['0', '2', '3', '4', 'GPU-5c8'] }],
  ])('%s is understood', (text, choice) => {
    expect(parseGpuChoice(text)).toEqual(choice);
  });

  test.each(['0', '-1', '1025', '0,', ',', '2-1,5', '0-2000', 'a b', 'x;y', 'all!', '0,1-2,1', 'GPU-a,GPU-a'])(
    '%s is refused',
    (text) => {
      expect(parseGpuChoice(text)).toMatchObject({ kind: 'fault' });
    },
  );
});

describe('the GPUs that a feeder gives to jobs', () => {
  const devices = ['GPU-aa', 'GPU-ab', 'GPU-b'];
  const found: FoundGpus = { vendor: 'nvidia', devices, visible: devices };
  const nothing: FoundGpus = { vendor: 'unknown', devices: [], visible: [] };
  const chosen = (text: string, of = found): readonly string[] | undefined => {
    const choice = parseGpuChoice(text);
    return choice.kind === 'fault' ? undefined : selectGpus(choice, of)?.devices;
  };

  test('are all that are found and visible, or none of a host that has none', () => {
    expect(selectGpus({ kind: 'all' }, { ...found, visible: ['GPU-b'] })).toEqual({
      vendor: 'nvidia',
      devices: ['GPU-b'],
    });
    expect(selectGpus({ kind: 'all' }, nothing)).toBeUndefined();
    expect(chosen('none')).toBeUndefined();
  });

  test('are named by index or by the beginning of a UUID', () => {
    expect(chosen('2')).toEqual(['GPU-aa', 'GPU-ab']);
    expect(chosen('2-2,gpu-aa')).toEqual(['GPU-b', 'GPU-aa']);
    expect(() => chosen('GPU-a,0')).toThrow('this host has no GPU GPU-a; its GPUs are GPU-aa, GPU-ab, GPU-b');
    expect(() => chosen('0,GPU-aa')).toThrow('cannot feed with --gpus 0,GPU-aa: it names GPU-aa twice');
    expect(() => chosen('1-3')).toThrow('this host has no GPU 3');
    expect(() => chosen('4')).toThrow('cannot feed with --gpus 4: this host has 3; give a smaller number');
    expect(() => chosen('2', { ...found, visible: ['GPU-b'] })).toThrow('permits only 1 of 3');
  });

  test('are taken as given on a host without known GPUs', () => {
    expect(chosen('3', nothing)).toEqual(['0', '1', '2']);
    expect(chosen('5,GPU-x', nothing)).toEqual(['5', 'GPU-x']);
  });

  test.each([
    [undefined, devices],
    ['', []],
    ['NoDevFiles', []],
    ['2,0', ['GPU-b', 'GPU-aa']],
    ['GPU-ab,1,0', ['GPU-ab']],
    ['0,-1,1', ['GPU-aa']],
    ['GPU-a', []],
  ])('are restricted by CUDA_VISIBLE_DEVICES=%s', (value, visible) => {
    expect(visibleDevices(devices, value)).toEqual(visible);
  });
});

test('only one variable has the GPUs where the vendor is known, because HIP applies both', () => {
  const cuda = { CUDA_VISIBLE_DEVICES: 'a,b', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
  expect(gpuVariables('nvidia', ['a', 'b'])).toEqual(cuda);
  expect(gpuVariables('amd', ['a', 'b'])).toEqual({ ROCR_VISIBLE_DEVICES: 'a,b' });
  expect(gpuVariables('unknown', ['a', 'b'])).toEqual({ ...cuda, ROCR_VISIBLE_DEVICES: 'a,b' });
  expect(gpuVariables('nvidia', [])['CUDA_VISIBLE_DEVICES']).toBe('');
});
