import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Incomplete command lines. Each is typed, followed by a tab. */
interface Typing {
  readonly lines: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
}

const BASH_SETTINGS = `
set -o emacs
HISTCONTROL=
bind 'set bell-style none'
source <(rq completion bash)
`;

const ZSH_SETTINGS = `
bindkey -e
HISTSIZE=1000
setopt no_auto_menu
autoload -Uz compinit
compinit -u -D
source <(rq completion zsh)
`;

/** Types the lines in an interactive bash with rq's completion. Returns the completed lines. */
export function typeInBash(typing: Typing): string[] {
  const settings = join(mkdtempSync(join(typing.cwd, '.bash-')), 'settings');
  writeFileSync(settings, BASH_SETTINGS);
  return typeOnTerminal(`bash --noprofile --rcfile ${settings} -i`, typing);
}

/** The same in zsh. */
export function typeInZsh(typing: Typing): string[] {
  const directory = mkdtempSync(join(typing.cwd, '.zsh-'));
  writeFileSync(join(directory, '.zshrc'), ZSH_SETTINGS);
  const environment = { ...typing.environment, ZDOTDIR: directory };
  return typeOnTerminal('zsh -d -i', { ...typing, environment });
}

/** The completions that fish offers for a line. */
export function offersOfFish(line: string, { cwd, environment }: Omit<Typing, 'lines'>): string[] {
  const script = 'rq completion fish | source; complete -C "$argv[1]"';
  const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script, '--', line], {
    cwd,
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return `${stderr}${stdout}`.split('\n').slice(0, -1);
}

/** After its completion, each line is turned into a no-op (ctrl-a, then `:`). The shell's history holds the results. */
function typeOnTerminal(shell: string, { lines, cwd, environment }: Typing): string[] {
  const history = join(mkdtempSync(join(cwd, '.history-')), 'lines');
  const { stdout, stderr } = spawnSync('script', ['-qec', shell, '/dev/null'], {
    cwd,
    env: { ...environment, TERM: 'dumb', HISTFILE: '' },
    input: [...lines.map((line) => `${line}\t\u0001: \n`), `fc -ln 1 >${history}\n`, 'exit\n'].join(''),
    encoding: 'utf8',
    timeout: 100_000,
  });
  try {
    const typed = readFileSync(history, 'utf8').split('\n').slice(0, lines.length);
    return typed.map((line) => line.replace(/^\s*: /, ''));
  } catch (error) {
    throw new Error(`${shell} failed: ${stdout}${stderr}`, { cause: error });
  }
}

/** The reason to skip the tests of a shell. Undefined if the shell is installed. */
export function shellSkipReason(shell: string): string | undefined {
  return spawnSync(shell, ['--version']).status === 0 ? undefined : `${shell} is not installed`;
}
