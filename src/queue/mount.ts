import { readFileSync, realpathSync } from 'node:fs';

/** How a directory is mounted. */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly options: ReadonlySet<string>;
}

// File systems in user space that forward POSIX locks to their servers, according to their documentation.
const FUSE_WITH_LOCKS = new Set(['fuse.glusterfs', 'fuse.ceph', 'fuse.ceph-fuse', 'fuse.juicefs', 'fuse.mfs']);

const BEHAVIOUR =
  /^(?:ro|rw|hard|soft|softerr|(?:no)?lock|(?:local)?flock|noac|nocto|sync|(?:vers|proto|local_lock|lookupcache|actimeo|ac(?:reg|dir)(?:min|max))=.*)$/;

/** The mount of a path, from /proc/self/mountinfo (proc(5)). Resolves links, which accesses the file system. */
export function mountOf(path: string, mountinfo?: string): Mount {
  return mountAt(realpathSync(path), readMounts(mountinfo));
}

/** All mounts, in the order in which they were mounted. */
export function readMounts(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): Mount[] {
  return mountinfo
    .split('\n')
    .map(parseLine)
    .filter((mount) => mount !== undefined);
}

/** The mount of a path without links. Does not access the file system. */
export function mountAt(path: string, mounts: readonly Mount[]): Mount {
  let found: Mount = { point: '/', type: 'unknown', options: new Set() };
  for (const mount of mounts) {
    // Of several mounts on one point, the last one is visible.
    if (isBelow(path, mount.point) && mount.point.length >= found.point.length) found = mount;
  }
  return found;
}

/** Why other hosts do not see POSIX locks on this mount, with advice; undefined if they do. */
export function lockProblem({ type, options }: Mount): string | undefined {
  if (type === 'nfs' || type === 'nfs4') {
    if (options.has('nolock')) return 'the file system is mounted with nolock; mount it without nolock, or as NFS 4';
    const local = [...options].find((option) => option === 'local_lock=all' || option === 'local_lock=posix');
    return local === undefined ? undefined : `the file system is mounted with ${local}; mount it with local_lock=none`;
  }
  if (type === 'lustre' && !options.has('flock')) return 'Lustre is mounted without flock; mount it with -o flock';
  if (type.startsWith('fuse.') && !FUSE_WITH_LOCKS.has(type)) return `${type} does not pass locks on to other hosts`;
  return undefined;
}

/** The options of a mount that affect how files behave, sorted, to compare the hosts of a queue. */
export function behaviourOptions({ options }: Mount): string[] {
  return [...options].filter((option) => BEHAVIOUR.test(option)).sort();
}

function parseLine(line: string): Mount | undefined {
  const words = line.split(' ');
  const separator = words.indexOf('-');
  const [point, ownOptions] = [words[4], words[5]];
  const [type, superOptions] = [words[separator + 1], words[separator + 3]];
  if (separator < 6 || point === undefined || type === undefined) return undefined;
  const options = new Set([...(ownOptions ?? '').split(','), ...(superOptions ?? '').split(',')]);
  return { point: unescapeOctal(point), type, options };
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function isBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
