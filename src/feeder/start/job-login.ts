import { existsSync } from 'node:fs';
import type { Clock } from '../../job/clock.ts';
import { ownEnvironment } from '../../job/process.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { RunnerClient } from '../../runner/client.ts';
import { captureLogin, type LoginState, profileStamp } from './login-shell.ts';

/** How often the profiles of the login shell are looked at. */
const PROFILES_MS = 60_000;
/** Of a capture that failed: no stamp, so that it is tried again. */
const UNKNOWN_PROFILES = 'unknown';

/** The login shell's state from which every job starts, captured again when a profile has changed. */
export class JobLogin {
  /** As it was captured last. */
  state: LoginState = { environment: {}, startupFile: undefined };
  private profiles = '';
  private lookedMs = 0;
  private capture = Promise.resolve();

  constructor(
    private readonly runtimeDirectory: string,
    private readonly clock: Clock,
    private readonly events: FeederEvents,
  ) {}

  /** Makes it the base of all jobs of a runner that has not been told of any. */
  async give(client: RunnerClient): Promise<void> {
    this.profiles = '';
    await this.refresh(client);
  }

  /** The same where a profile has changed. Rejects where the runner does not answer. */
  async refresh(client: RunnerClient): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (this.profiles !== '' && nowMs - this.lookedMs < PROFILES_MS) return;
    this.lookedMs = nowMs;
    const stamp = profileStamp();
    const { startupFile } = this.state;
    // One that cleans up old files may have removed it.
    const isThere = startupFile === undefined || existsSync(startupFile);
    if (stamp === this.profiles && isThere) return;
    this.profiles = stamp;
    // One after the other: they use the same files.
    const next = (): Promise<void> => this.captureFor(client);
    this.capture = this.capture.then(next, next);
    await this.capture;
  }

  private async captureFor(client: RunnerClient): Promise<void> {
    try {
      this.state = await captureLogin(this.runtimeDirectory);
    } catch (error) {
      this.events.loginFailed(error);
      this.profiles = UNKNOWN_PROFILES;
      this.state = { environment: ownEnvironment(), startupFile: undefined };
    }
    const { environment, startupFile } = this.state;
    await client.environment(startupFile === undefined ? environment : { ...environment, BASH_ENV: startupFile });
  }
}
