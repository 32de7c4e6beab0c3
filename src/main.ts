import { standardOutput } from './cli/output/standard-output.ts';
import { runCommandLine } from './cli/run.ts';

void runCommandLine(process.argv.slice(2), {
  environment: process.env,
  output: standardOutput,
  input: async () => (await import('./cli/input/standard-input.ts')).standardInput(),
}).then((status) => {
  // Every write was awaited; what may still be open, such as a pipe on stdin, is nothing to wait for.
  process.exit(status);
});
