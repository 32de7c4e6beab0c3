import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../../log/make-directories.ts';
import { CannotStart, systemMessage } from './start-failure.ts';

/** Linux limits an argument to 131,072 bytes (MAX_ARG_STRLEN, execve(2)). */
const MAX_ARGUMENT_BYTES = 100_000;

/** The directory of the commands that are too long for an argument. The names of the files are those of the attempts. */
export class Scripts {
  private readonly names = new Set<string>();

  constructor(private readonly directory: string) {}

  /** Returns the arguments of bash. It writes a long command to a file. Throws CannotStart. */
  bashArguments(name: string, command: string): string[] {
    if (command.includes('\0')) throw new CannotStart('cannot run the command: it contains a NUL character', 'failed');
    // A UTF-16 unit has at most 3 bytes in UTF-8, so the bytes of short commands need not be counted.
    const isShort = command.length * 3 <= MAX_ARGUMENT_BYTES || Buffer.byteLength(command) <= MAX_ARGUMENT_BYTES;
    // Without --, bash would take a command that begins with - or + for an option.
    return isShort ? ['-c', '--', command] : [this.write(name, command)];
  }

  /** Removes the script of an attempt, if it has one. */
  remove(name: string): void {
    if (this.names.delete(name)) rmSync(join(this.directory, name), { force: true });
  }

  /** Removes the scripts of attempts that do not run. */
  sweep(isRunning: (name: string) => boolean): void {
    makeDirectories(this.directory);
    for (const name of readdirSync(this.directory)) {
      this.names.add(name);
      if (!isRunning(name)) this.remove(name);
    }
  }

  private write(name: string, command: string): string {
    const script = join(this.directory, name);
    try {
      this.names.add(name);
      writeFileSync(script, command, { mode: 0o600 });
      return script;
    } catch (error) {
      this.remove(name);
      throw new CannotStart(`cannot write the command to ${this.directory}: ${systemMessage(error)}`, 'shortage');
    }
  }
}
