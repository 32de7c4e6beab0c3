// Other programs that run many jobs, each with its best fair settings. Programs that are not installed are skipped.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { env, lines, place, size, timed } from './harness.mjs';

const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** The upper limit: no queue. */
export const xargs = (jobs) =>
  timed('xargs', ['-P2', '-I{}', 'bash', '-c', 'true'], { input: lines(jobs, String), cwd: place('xargs') });

const parallel = (words) => (jobs) =>
  timed('parallel', ['--will-cite', '-j2', ...words(place('parallel')), 'true', '#', '{}'], {
    input: lines(jobs, String),
    env: { ...env, PARALLEL_SHELL: '/bin/bash', HOME: place('home') },
  });

/** Each waiting job is a process with a connection to the server, which accepts a thousand. */
const TSP_JOBS = size(500);

function taskSpooler(jobs) {
  const directory = place('tsp');
  const options = { env: { ...env, TS_SOCKET: join(directory, 'socket'), TMPDIR: directory, TS_MAXFINISHED: '1' } };
  const script = `tsp -S 2; for i in $(seq ${jobs}); do tsp bash -c true; done; while tsp -l | grep -qE "queued|running"; do
    sleep 0.02; done`;
  const seconds = timed('bash', ['-c', script], options);
  spawnSync('tsp', ['-K'], options);
  return seconds;
}

/** nq runs one job at a time, so two queues are two slots. */
function nq(jobs) {
  const [one, two] = [place('nq'), place('nq')];
  const script = `for i in $(seq ${jobs / 2}); do NQDIR=${one} nq -q bash -c true; NQDIR=${two} nq -q bash -c true; done
    NQDIR=${one} nq -w; NQDIR=${two} nq -w`;
  return timed('bash', ['-c', script]);
}

/** The fewest that give a stable figure: each takes tens of milliseconds. */
const SLURM_JOBS = size(100, 2);
let slurmDaemons;

/** One node, two processors, and the settings of Slurm's guide for many short jobs. */
function startSlurm() {
  const directory = place('slurm');
  const file = (name) => join(directory, name);
  const daemons = [];
  const start = (program, words) => daemons.push(spawn(program, words, { env, stdio: 'ignore' }));
  writeFileSync(file('munge.key'), randomBytes(128), { mode: 0o600 });
  execFileSync('chmod', ['0755', directory, join(directory, '..')]);
  const host = hostname().split('.')[0];
  writeFileSync(
    file('slurm.conf'),
    `ClusterName=bench
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${file('munge.socket')}
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=${file('state')}
SlurmdSpoolDir=${file('spool')}
SlurmctldPidFile=${file('slurmctld.pid')}
SlurmdPidFile=${file('slurmd.pid')}
SlurmctldLogFile=${file('slurmctld.log')}
SlurmdLogFile=${file('slurmd.log')}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=10000,sched_max_job_start=0,default_queue_depth=1000
MaxArraySize=10001
MaxJobCount=20000
MinJobAge=10
ReturnToService=2
SlurmctldDebug=error
SlurmdDebug=error
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`,
  );
  const munge = ['key', 'socket', 'pid', 'log', 'seed'].map((name) => `--${name}-file=${file(`munge.${name}`)}`);
  start('munged', ['--foreground', '--force', ...munge.map((word) => word.replace('--socket-file', '--socket'))]);
  const options = { env: { ...env, SLURM_CONF: file('slurm.conf') } };
  spawnSync('sh', ['-c', `until [ -S ${file('munge.socket')} ]; do sleep 0.1; done`], { timeout: 10_000 });
  daemons.push(spawn('slurmctld', ['-D', '-f', file('slurm.conf')], { ...options, stdio: 'ignore' }));
  daemons.push(spawn('slurmd', ['-D', '-f', file('slurm.conf'), '-N', host], { ...options, stdio: 'ignore' }));
  const ready = spawnSync('sh', ['-c', 'until sinfo -h -o %t | grep -q idle; do sleep 0.2; done'], {
    ...options,
    timeout: 30_000,
  });
  const stop = () => {
    for (const daemon of daemons.reverse()) daemon.kill('SIGTERM');
  };
  process.on('exit', stop);
  if (ready.status !== 0) {
    stop();
    throw new Error(`slurmd did not start within 30 s: see the logs in ${directory}`);
  }
  return options;
}

function slurm() {
  slurmDaemons ??= startSlurm();
  // `sbatch --wait` polls at growing intervals.
  const script = `sbatch --array=1-${SLURM_JOBS} --output=%a.out --wrap=true
    while [ -n "$(squeue -h)" ]; do sleep 0.05; done`;
  return timed('bash', ['-c', script], { ...slurmDaemons, cwd: place('out') });
}

const ALL = [
  { name: 'GNU parallel', program: 'parallel', run: parallel(() => []) },
  { name: 'GNU parallel --results', program: 'parallel', run: parallel((path) => ['--results', path]) },
  { name: 'task-spooler', program: 'tsp', run: taskSpooler, jobs: TSP_JOBS },
  { name: 'nq', program: 'nq', run: nq },
  { name: 'Slurm', program: 'slurmctld', run: slurm, jobs: SLURM_JOBS },
];

/** The installed peers: `run` takes a number of jobs and returns seconds; `jobs` is set where the number is fixed. */
export const peers = ALL.filter(({ program }) => has(program));
/** The names of the peers that are skipped. */
export const skipped = ALL.filter(({ program }) => !has(program)).map(({ name }) => name);

/** Submits per second of task-spooler while it runs no job. Undefined if it is not installed. */
export function taskSpoolerSubmits(jobs) {
  if (!has('tsp')) return undefined;
  const directory = place('tsp');
  const options = { env: { ...env, TS_SOCKET: join(directory, 'socket'), TMPDIR: directory } };
  spawnSync('tsp', ['sleep', '1000'], { ...options, stdio: 'ignore' });
  const seconds = timed('bash', ['-c', `for i in $(seq ${jobs}); do tsp true; done`], options);
  spawnSync('bash', ['-c', 'tsp -C; kill $(tsp -p); tsp -K'], { ...options, stdio: 'ignore' });
  return jobs / seconds;
}
