import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { errorCode, RqError } from './errors.ts';

/** A name becomes a file name in `nodes/`. RFC 1123 allows 253 bytes. */
const HOST_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}$/;

/** The name of this host, from RQ_HOST or from the kernel. Throws INVALID_INPUT if it cannot be a file name. */
export function hostName(environment: NodeJS.ProcessEnv = process.env): string {
  const name = environment['RQ_HOST'] || hostname();
  if (HOST_NAME.test(name)) return name;
  throw new RqError(
    'INVALID_INPUT',
    `cannot use ${JSON.stringify(name)} as this host's name: set RQ_HOST to a name that contains only letters, digits, dots and hyphens`,
  );
}

/** Whether a text is the name of a host, and so a valid file name. Rows of a hostile queue may contain any text. */
export function isHostName(text: string): boolean {
  return HOST_NAME.test(text);
}

/** A random id that the kernel creates at each boot (proc(5), sys/kernel/random/boot_id). */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** The number of this process's pid namespace (pid_namespaces(7)). A pid of a container is not valid outside it. */
export function pidNamespace(): number {
  return Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
}

/** The user's name, or the user id if the host has no name for it. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (errorCode(error) !== 'ERR_SYSTEM_ERROR') throw error;
    return String(process.getuid?.());
  }
}
