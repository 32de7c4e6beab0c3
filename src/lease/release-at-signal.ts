// biome-ignore-all assist/source/organizeImports: the first notes who listens to signals before the library does.
import { ENDING_SIGNALS, isEarlier } from './earlier-listeners.ts';
import { lock } from 'proper-lockfile';

/** proper-lockfile's own, for all to use in place of it. */
export { lock };

/*
 * The library listens to signals from when it is loaded (by way of signal-exit). With a listener a signal waits for the
 * event loop, which a share that does not answer may block for ever; without one it ends the process at once.
 */
for (const signal of ENDING_SIGNALS) {
  for (const listener of process.listeners(signal)) {
    if (!isEarlier(signal, listener)) process.off(signal, listener);
  }
}

// By this count another copy of signal-exit (execa has one) tells whether all who listen are of its kind, and so whether a
// signal is to end the process: without it no signal would, while a command of execa's runs.
const counted = (process as { readonly __signal_exit_emitter__?: { count: number } }).__signal_exit_emitter__;
if (counted !== undefined && counted.count > 0) counted.count -= 1;

const releases = new Set<() => void>();
let isListening = false;

/** From now on, until what it gives is called, a signal that ends this process releases the lease first. */
export function releaseAtSignal(release: () => void): () => void {
  if (!isListening) for (const signal of ENDING_SIGNALS) process.on(signal, endBySignal);
  isListening = true;
  releases.add(release);
  return () => {
    // A signal that came while the event loop was busy is told when that turns next; it is lost if nobody listens then.
    if (releases.delete(release) && releases.size === 0) afterNextTurn(stopListening);
  };
}

function endBySignal(signal: NodeJS.Signals): void {
  // Somebody else decides what the signal means here: a feeder finishes its jobs first.
  if (process.listenerCount(signal) > 1) return;
  for (const release of [...releases]) attempt(release);
  releases.clear();
  stopListening();
  process.kill(process.pid, signal);
}

function stopListening(): void {
  if (releases.size > 0) return;
  isListening = false;
  for (const signal of ENDING_SIGNALS) process.off(signal, endBySignal);
}

/** The first immediate may belong to the turn that goes on. */
function afterNextTurn(work: () => void): void {
  setImmediate(() => setImmediate(work).unref()).unref();
}

function attempt(release: () => void): void {
  try {
    release();
  } catch {
    // The process ends: others take the lease for that of a dead one in its time.
  }
}
