import type { Vendor } from './find-gpus.ts';

/**
 * The variables that let a job see these GPUs and no others. Empty text is no GPU. HIP applies CUDA_VISIBLE_DEVICES to what
 * ROCR_VISIBLE_DEVICES has left, so that only one of them is set where the vendor is known.
 */
export function gpuVariables(vendor: Vendor, devices: readonly string[]): Record<string, string> {
  const list = devices.join(',');
  return {
    ...(vendor === 'amd' ? {} : { CUDA_VISIBLE_DEVICES: list, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
    ...(vendor === 'nvidia' ? {} : { ROCR_VISIBLE_DEVICES: list }),
  };
}
