import { release } from 'node:os';
import { userName } from '../../job/host.ts';
import { behaviour, mountOf } from '../../queue/mount.ts';

/** What hosts of one queue should have in common, or ought to know of each other. */
export interface HostFacts {
  /** The versions of Node and of the kernel. */
  readonly node: string;
  readonly kernel: string;
  readonly user: string;
  readonly uid: number;
  /** The type of the queue's mount, and those of its options that say how files behave, comma-separated. */
  readonly mount: string;
  readonly mount_options: string;
  /** How far the host's clock was ahead of the file server's when this was written, in seconds. */
  readonly clock_offset_s: number;
}

/** The facts of this host; `offsetMs` as in `ServerClock`. */
export function hostFacts(queueDirectory: string, offsetMs: number): HostFacts {
  const mount = mountOf(queueDirectory);
  return {
    node: process.versions.node,
    kernel: release(),
    user: userName(),
    uid: process.getuid?.() ?? 0,
    mount: mount.type,
    mount_options: behaviour(mount).join(','),
    clock_offset_s: Math.round(offsetMs) / 1000,
  };
}
