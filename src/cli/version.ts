/** Set by the build. */
declare const RQ_VERSION: string | undefined;

/** The version of this rq. */
export const version: string = typeof RQ_VERSION === 'string' ? RQ_VERSION : 'development';

/** The output of --version. */
export function versionText(): string {
  return `rq ${version}\n`;
}
