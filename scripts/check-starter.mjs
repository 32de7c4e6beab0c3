// Checks the source of rq-starter with cppcheck(1).
import { spawnSync } from 'node:child_process';

const checks = ['--enable=warning,style,performance,portability', '--error-exitcode=1', '--quiet'];
const { status, error } = spawnSync('cppcheck', [...checks, '--suppress=missingIncludeSystem', 'src/starter'], {
  stdio: 'inherit',
});
if (error === undefined) process.exit(status ?? 1);
process.stdout.write('not checked: cppcheck is not installed\n');
