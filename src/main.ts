import { streamOutput } from './cli/output.ts';
import { runCommandLine } from './cli/run.ts';

const status = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  output: streamOutput(process.stdout),
  input: async () => (await import('./cli/input.ts')).standardInput(),
});
// Every write was awaited; what may still be open, such as a pipe on stdin, is nothing to wait for.
process.exit(status);
