import { release } from 'node:os';
import { userName } from '../../job/host.ts';
import { behaviourOptions, mountOf } from '../../queue/mount.ts';

/** Properties of a host that should be equal on all hosts of a queue, or that other hosts need to know. */
export interface HostFacts {
  /** The versions of Node and of the kernel. */
  readonly node: string;
  readonly kernel: string;
  readonly user: string;
  readonly uid: number;
  /** The type of the queue's mount, and the options that affect how files behave, comma-separated. */
  readonly mount: string;
  readonly mount_options: string;
  /** How far the clock of the host was ahead of the clock of the file server, in seconds. */
  readonly clock_offset_s: number;
}

/** Collects the facts of this host. `offsetMs` is that of `ServerClock`. */
export function hostFacts(queueDirectory: string, offsetMs: number): HostFacts {
  const mount = mountOf(queueDirectory);
  return {
    node: process.versions.node,
    kernel: release(),
    user: userName(),
    uid: process.getuid?.() ?? 0,
    mount: mount.type,
    mount_options: behaviourOptions(mount).join(','),
    clock_offset_s: Math.round(offsetMs) / 1000,
  };
}
