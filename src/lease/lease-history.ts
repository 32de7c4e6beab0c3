/**
 * The generations of a lease that this process held last. A process that held two generations in a row is probably the
 * only writer. It tries the next generation without reading the directory, which saves two round trips on NFS.
 */
export class LeaseHistory {
  private last: number | undefined;
  private isAlone = false;

  /** The generation that is probably the highest, and free. */
  get expected(): number | undefined {
    return this.isAlone ? this.last : undefined;
  }

  acquired(generation: number): void {
    this.isAlone = this.last !== undefined && generation === this.last + 1;
    this.last = generation;
  }

  /** The last generation was not the highest: another process held the lease in the meantime. */
  wasNotHighest(): void {
    // The next generation would otherwise count as the second in a row.
    this.last = undefined;
    this.isAlone = false;
  }
}
