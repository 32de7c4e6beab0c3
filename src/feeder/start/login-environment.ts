import { existsSync } from 'node:fs';
import { errorMessage } from '../../job/errors.ts';
import { ownEnvironment } from '../../job/process.ts';
import type { FeederEvents } from '../../log/events.ts';
import type { RunnerClient } from '../../runner/client.ts';
import type { LaunchSettings } from './launch-settings.ts';
import { captureLogin, type LoginState, profileStamp } from './login-shell.ts';

export interface LoginEnvironmentOptions {
  readonly runtimeDirectory: string;
  readonly launch: LaunchSettings;
  readonly events: FeederEvents;
  /** The time limit of the login shell. */
  readonly timeoutS?: number;
}

/**
 * The state of the login shell, in which every job starts. It is captured again when a profile changes. While no capture
 * has succeeded, jobs get the environment of the feeder.
 */
export class LoginEnvironment {
  /** The last captured state. */
  state: LoginState;
  /** Why the last capture failed. */
  problem: string | undefined;
  /** Called when `problem` has changed. */
  onProblem: () => void = () => undefined;
  /** The stamp of the profiles at the last capture. Undefined before the first one. */
  private stamp: Promise<string> | undefined;
  private isChecking = false;

  constructor(private readonly options: LoginEnvironmentOptions) {
    this.state = { ...options.launch, environment: ownEnvironment(), startupFile: undefined };
  }

  /** Sends the state to a new runner. The first call captures it. */
  async sendTo(client: RunnerClient): Promise<void> {
    if (this.stamp === undefined) {
      this.stamp = profileStamp();
      await this.captureState();
    }
    await this.send(client);
  }

  /**
   * Captures the state and sends it to the runner if a profile has changed or the last capture failed. Takes as long as a
   * home directory hangs. Rejects if the runner does not reply.
   */
  async refresh(client: RunnerClient): Promise<void> {
    if (this.isChecking) return;
    this.isChecking = true;
    try {
      if (!(await this.isOutdated())) return;
      await this.captureState();
      await this.send(client);
    } catch (error) {
      // The next runner has the former state.
      this.stamp = Promise.resolve('');
      throw error;
    } finally {
      this.isChecking = false;
    }
  }

  private async isOutdated(): Promise<boolean> {
    const before = await this.stamp;
    const stamp = await profileStamp();
    this.stamp = Promise.resolve(stamp);
    const { startupFile } = this.state;
    // A program that cleans up temporary files may have removed it.
    const isMissing = startupFile !== undefined && !existsSync(startupFile);
    return stamp !== before || isMissing || this.problem !== undefined;
  }

  private async send(client: RunnerClient): Promise<void> {
    const { environment, startupFile, umask, limits } = this.state;
    const variables = startupFile === undefined ? environment : { ...environment, BASH_ENV: startupFile };
    await client.environment(variables, { umask, limits });
  }

  private async captureState(): Promise<void> {
    const { runtimeDirectory, launch, events, timeoutS } = this.options;
    let problem: string | undefined;
    try {
      this.state = await captureLogin(runtimeDirectory, launch, timeoutS);
    } catch (error) {
      problem = errorMessage(error);
    }
    if (problem === this.problem) return;
    if (problem === undefined) events.loginShellRecovered();
    else events.loginShellFailed(problem);
    this.problem = problem;
    this.onProblem();
  }
}
