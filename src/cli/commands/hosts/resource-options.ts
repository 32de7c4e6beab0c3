import { ALL_GPUS, type GpuChoice, parseGpuChoice } from '../../../feeder/gpus/gpu-choice.ts';
import { RqError } from '../../../job/errors.ts';
import { MAX_MEMORY, MIN_MEMORY } from '../../../job/limits.ts';
import { needsFault, parseNeeds, type Resources } from '../../../job/placement/needs.ts';
import { parseSize } from '../../../job/quantities/size.ts';
import { quantityFault } from '../../../job/value-faults.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { OptionSpec } from '../../parse/command-spec.ts';

/** The options that say what a host has for jobs, in addition to `--max_feed`. */
export const RESOURCE_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'memory',
    type: 'text',
    value: 'SIZE',
    help:
      'Memory that jobs can reserve together, such as 64G (powers of 1024). ' +
      'The default is nine tenths of the memory of the host or of its cgroup.',
  },
  {
    name: 'gpus',
    type: 'text',
    value: 'LIST|N|none',
    help:
      'GPUs that the feeder gives to jobs: their number, or a list of indices, ranges and UUIDs (0,2-3). ' +
      'The default is all that nvidia-smi or ROCm lists. With "none", rq leaves the GPUs of the host alone.',
  },
  {
    name: 'have',
    type: 'list',
    value: 'NAME=N,…',
    help: 'Other resources of the host, which jobs request with --need, such as licence=2. This option can be repeated.',
  },
];

/** What the call says of the host; undefined and `all` is what the feeder finds. Throws USAGE. */
export function resourceOptions({ options }: CommandCall): {
  readonly memory: number | undefined;
  readonly gpus: GpuChoice;
  readonly have: Resources;
} {
  return {
    memory: memoryOption(options.text('memory')),
    gpus: gpusOption(options.text('gpus')),
    have: haveOption(options.list('have').join(',')),
  };
}

function memoryOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const size = parseSize(text);
  const fault = quantityFault(size ?? text, 'size', [MIN_MEMORY, MAX_MEMORY]);
  if (fault !== undefined) throw new RqError('USAGE', `cannot feed: --memory ${fault}`);
  return size;
}

function gpusOption(text: string | undefined): GpuChoice {
  if (text === undefined) return ALL_GPUS;
  const choice = parseGpuChoice(text);
  if (choice.kind === 'fault') throw new RqError('USAGE', `cannot feed: --gpus ${choice.fault}`);
  return choice;
}

function haveOption(text: string): Resources {
  if (text === '') return {};
  const fault = needsFault(text);
  if (fault !== undefined) throw new RqError('USAGE', `cannot feed: --have ${fault}`);
  return parseNeeds(text);
}
