import { standardInput } from './cli/input/standard-input.ts';
import { standardOutput } from './cli/output/standard-output.ts';
import { runCommandLine } from './cli/run.ts';

void runCommandLine(process.argv.slice(2), {
  environment: process.env,
  output: standardOutput,
  input: standardInput(),
}).then((status) => {
  // All output is written. An open handle, such as a pipe on stdin, must not keep the process alive.
  process.exit(status);
});
