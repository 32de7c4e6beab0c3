import { isTerminal } from './terminal.ts';

/** SGR parameters (ECMA-48, 8.3.117); the terminal determines the actual colours. */
const SGR = { red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36, brightBlue: 94 } as const;
export type Colour = keyof typeof SGR;

/** Whether to colour stdout (1) or stderr (2): not without a terminal, for TERM=dumb, or with NO_COLOR (no-color.org). */
export function wantsColour(descriptor: 1 | 2, environment: NodeJS.ProcessEnv): boolean {
  const terminal = environment['TERM'] ?? '';
  return !environment['NO_COLOR'] && terminal !== '' && terminal !== 'dumb' && isTerminal(descriptor);
}

export function inColour(text: string, colour: Colour): string {
  return `\u001b[${SGR[colour]}m${text}\u001b[39m`;
}
