import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../job/errors.ts';

const TOPOLOGY = '/sys/class/kfd/kfd/topology/nodes';

/**
 * The GPUs of AMD that the kernel lists, in the order of their indices in ROCR_VISIBLE_DEVICES: by UUID, or by index for a
 * GPU that has none. Nodes without compute units are processors. In a container, nodes of other GPUs cannot be read.
 */
export function amdDevices(topology = TOPOLOGY): string[] {
  const nodes = numbersIn(topology).flatMap((node) => propertiesOf(join(topology, String(node), 'properties')) ?? []);
  const gpus = nodes.filter((properties) => Number(properties.get('simd_count')) > 0);
  return gpus.map((properties, index) => {
    const id = BigInt(properties.get('unique_id') ?? 0);
    return id === 0n ? String(index) : `GPU-${id.toString(16).padStart(16, '0')}`;
  });
}

function numbersIn(directory: string): number[] {
  try {
    return readdirSync(directory)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [];
  }
}

function propertiesOf(path: string): Map<string, string> | undefined {
  try {
    const pairs = Array.from(readFileSync(path, 'latin1').matchAll(/^(\w+) (\d+)$/gm), ([, name = '', value = '']) => {
      return [name, value] as const;
    });
    return new Map(pairs);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return undefined;
  }
}
