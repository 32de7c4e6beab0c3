import type { Ended, Workbench } from './program.ts';
import { waitFor } from './wait-for.ts';

/** Feeders of one machine that act as several hosts. */
export class Hosts {
  private readonly running = new Map<string, Promise<Ended>>();

  constructor(
    private readonly bench: Workbench,
    private readonly options: readonly string[],
  ) {}

  /** Starts a feeder on each host, and waits until it has written its node. */
  async start(...hosts: string[]): Promise<void> {
    for (const host of hosts) {
      const call = { environment: { RQ_HOST: host } };
      this.running.set(host, this.bench.start(['QUEUE', 'feed', ...this.options], call).ended);
    }
    await waitFor(async () => {
      const feeding = (await this.bench.must(['QUEUE', 'nodes', '--plain'])).split('\n');
      return hosts.every((host) => feeding.includes(host));
    });
  }

  /** Ends feeders when their jobs have ended, and returns what they printed. */
  async shutDown(...hosts: string[]): Promise<Ended[]> {
    const ended: Ended[] = [];
    for (const host of hosts.length === 0 ? [...this.running.keys()] : hosts) {
      await this.bench.must(['QUEUE', 'shutdown'], { environment: { RQ_HOST: host } });
      ended.push((await this.running.get(host)) as Ended);
      this.running.delete(host);
    }
    return ended;
  }
}
