import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CannotStart, systemMessage } from './start-failure.ts';

/** Linux takes at most 131,072 bytes as one argument (MAX_ARG_STRLEN, execve(2)). */
const MAX_ARGUMENT_BYTES = 100_000;

/** The directory of commands that are too long for an argument, by the names of their attempts. */
export class Scripts {
  constructor(private readonly directory: string) {}

  /** What bash is to be given as arguments; a long command is written to a file. Throws CannotStart. */
  words(name: string, command: string): string[] {
    if (command.includes('\0')) throw new CannotStart('cannot run the command: it contains a NUL character');
    // A character has at most 3 bytes a UTF-16 unit, so that counting is seldom needed.
    const isShort = command.length * 3 <= MAX_ARGUMENT_BYTES || Buffer.byteLength(command) <= MAX_ARGUMENT_BYTES;
    // Behind -- a command that begins with - or + is none of bash's own options.
    return isShort ? ['-c', '--', command] : [this.write(name, command)];
  }

  /** Removes that of an attempt, if it has one. */
  remove(name: string): void {
    rmSync(join(this.directory, name), { force: true });
  }

  /** Removes those of attempts that do not run. */
  sweep(isRunning: (name: string) => boolean): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.directory)) if (!isRunning(name)) this.remove(name);
  }

  private write(name: string, command: string): string {
    const script = join(this.directory, name);
    try {
      writeFileSync(script, command, { mode: 0o600 });
      return script;
    } catch (error) {
      rmSync(script, { force: true });
      throw new CannotStart(`cannot write the command to ${this.directory}: ${systemMessage(error)}`);
    }
  }
}
