import { existsSync } from 'node:fs';
import type { Clock } from '../../job/clock.ts';
import { ownEnvironment } from '../../job/process.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { RunnerClient } from '../../runner/client.ts';
import { captureLogin, type LoginState, profileStamp } from './login-shell.ts';

/** How often the profiles of the login shell are checked for changes. */
const PROFILE_CHECK_MS = 60_000;
/** The stamp after a failed capture: it equals no stamp of profiles, so that the capture is repeated. */
const NO_STAMP = 'unknown';

/** The environment of the login shell, in which every job starts. It is captured again when a profile changes. */
export class LoginEnvironment {
  /** The last captured state. */
  state: LoginState = { environment: {}, startupFile: undefined };
  private stamp = '';
  private checkedMs = 0;
  private capture = Promise.resolve();

  constructor(
    private readonly runtimeDirectory: string,
    private readonly clock: Clock,
    private readonly events: FeederEvents,
  ) {}

  /** Captures the environment and sends it to a new runner. */
  async sendTo(client: RunnerClient): Promise<void> {
    this.stamp = '';
    await this.refresh(client);
  }

  /** Captures the environment and sends it to the runner if a profile has changed. Rejects if the runner does not reply. */
  async refresh(client: RunnerClient): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (this.stamp !== '' && nowMs - this.checkedMs < PROFILE_CHECK_MS) return;
    this.checkedMs = nowMs;
    const stamp = profileStamp();
    const { startupFile } = this.state;
    // A program that cleans up temporary files may have removed it.
    const isMissing = startupFile !== undefined && !existsSync(startupFile);
    if (stamp === this.stamp && !isMissing) return;
    this.stamp = stamp;
    // Captures use the same files and must not overlap.
    const next = (): Promise<void> => this.captureFor(client);
    this.capture = this.capture.then(next, next);
    await this.capture;
  }

  private async captureFor(client: RunnerClient): Promise<void> {
    try {
      this.state = await captureLogin(this.runtimeDirectory);
    } catch (error) {
      this.events.loginShellFailed(error);
      this.stamp = NO_STAMP;
      this.state = { environment: ownEnvironment(), startupFile: undefined };
    }
    const { environment, startupFile } = this.state;
    await client.environment(startupFile === undefined ? environment : { ...environment, BASH_ENV: startupFile });
  }
}
