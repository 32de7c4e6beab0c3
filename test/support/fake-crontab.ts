import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Puts a program `crontab` first on PATH that keeps one crontab in a file. */
export class FakeCrontab {
  readonly bin: string;
  private readonly file: string;
  private readonly writes: string;

  constructor(directory: string) {
    this.bin = join(directory, 'bin');
    this.file = join(directory, 'crontab');
    this.writes = join(directory, 'crontab-writes');
    mkdirSync(this.bin);
    this.behave(`case $1 in
-l) cat '${this.file}' 2>/dev/null || { echo "no crontab for $(id -un)" >&2; exit 1; } ;;
-) echo >>'${this.writes}'; cat >'${this.file}.new' && mv '${this.file}.new' '${this.file}' ;;
esac`);
  }

  /** Replaces the program with another script. */
  behave(script: string): void {
    writeFileSync(join(this.bin, 'crontab'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: `${this.bin}:${process.env['PATH']}` };
  }

  get content(): string {
    return existsSync(this.file) ? readFileSync(this.file, 'latin1') : '';
  }

  set content(text: string) {
    writeFileSync(this.file, text, 'latin1');
  }

  /** How many times the crontab was written. */
  get writeCount(): number {
    return existsSync(this.writes) ? readFileSync(this.writes, 'utf8').length : 0;
  }
}

/** A PATH with Node and nothing else. */
export function pathWithoutCrontab(directory: string): string {
  const bin = join(directory, 'node-only');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  return bin;
}
