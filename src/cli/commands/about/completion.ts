import { RqError } from '../../../job/errors.ts';
import { SCRIPTS, SHELLS } from '../../help/completion/scripts.ts';
import type { CommandCall } from '../../parse/command-call.ts';
import type { CommandSpec } from '../../parse/command-spec.ts';

export const spec: CommandSpec = {
  name: 'completion',
  summary: 'print a completion script for a shell',
  positionals: 'bash|zsh|fish',
  minPositionals: 1,
  maxPositionals: 1,
  queue: 'none',
  options: [],
  description: [
    'Prints a script for bash, zsh or fish. With this script, the tab key completes commands, options and their values, ' +
      'states, and the tags and jids of the queue on the command line.',
    'bash: put the line "source <(rq completion bash)" into ~/.bashrc, or write the script to a file in ' +
      '~/.local/share/bash-completion/completions if bash-completion is installed. zsh: put the line ' +
      '"source <(rq completion zsh)" into ~/.zshrc, after compinit, or write the script to a file _rq in a directory ' +
      'of fpath. fish: write the script to a file in ~/.config/fish/completions.',
  ],
  examples: [
    ['source <(rq completion bash)', 'enable completion in the current shell (bash or zsh)'],
    ['rq completion bash > ~/.local/share/bash-completion/completions/rq', 'enable completion in each new bash'],
    ['rq completion zsh > ~/.zfunc/_rq', 'enable completion in each new zsh, if ~/.zfunc is in fpath'],
    ['rq completion fish > ~/.config/fish/completions/rq.fish', 'enable completion in each new fish'],
  ],
};

/** Prints the script for a shell. src/complete.ts answers the requests of the scripts. */
export async function run(call: CommandCall): Promise<undefined> {
  const [name = ''] = call.positionals;
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined)
    throw new RqError('USAGE', `there is no completion for "${name}": give ${SHELLS.join(', ')}`);
  await call.output.write(SCRIPTS[shell]);
}
