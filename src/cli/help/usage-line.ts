import type { CommandSpec } from '../parse/command-spec.ts';

/** How a command is called, in one line. */
export function usageLine({ queue, name, positionals }: CommandSpec): string {
  return ['rq', queue === 'none' ? '' : 'QUEUE', name, positionals ?? '', '[OPTIONS]'].filter(Boolean).join(' ');
}
