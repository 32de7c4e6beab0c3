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
    'Prints a completion script for bash, zsh or fish. ' +
      'With the script, the Tab key completes commands, options, option values, states, and the tags and jids of the queue.',
    'In bash, add the line "source <(rq completion bash)" to ~/.bashrc. ' +
      'Alternatively, install bash-completion and write the script to a file in ~/.local/share/bash-completion/completions.',
    'In zsh, add the line "source <(rq completion zsh)" to ~/.zshrc, after compinit. ' +
      'Alternatively, write the script to a file named _rq in a directory listed in fpath.',
    'In fish, write the script to a file in ~/.config/fish/completions.',
  ],
  examples: [
    ['source <(rq completion bash)', 'enable completion in the current shell (bash or zsh)'],
    [
      'rq completion bash > ~/.local/share/bash-completion/completions/rq',
      'enable completion in every new bash session',
    ],
    ['rq completion zsh > ~/.zfunc/_rq', 'enable completion in every new zsh session, if fpath contains ~/.zfunc'],
    ['rq completion fish > ~/.config/fish/completions/rq.fish', 'enable completion in every new fish session'],
  ],
};

/** Prints the script for a shell. src/complete.ts answers the requests of the scripts. */
export async function run(call: CommandCall): Promise<undefined> {
  const [name = ''] = call.positionals;
  const shell = SHELLS.find((each) => each === name);
  if (shell === undefined)
    throw new RqError('USAGE', `there is no completion script for "${name}": use ${SHELLS.join(', ')}`);
  await call.output.write(SCRIPTS[shell]);
}
