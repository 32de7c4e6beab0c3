/**
 * Which generations of the lease this process held. One that had it twice in a row will likely be the next again, and
 * need not read the directory first: two round trips less on NFS.
 */
export class LeaseHistory {
  private last: number | undefined;
  private isAlone = false;

  /** The generation that is likely to be the highest still, and free. */
  get guess(): number | undefined {
    return this.isAlone ? this.last : undefined;
  }

  acquired(generation: number): void {
    this.isAlone = this.last !== undefined && generation === this.last + 1;
    this.last = generation;
  }

  /** It was not the highest: another had the lease in between. */
  missed(): void {
    // Else the next generation, which follows the one that was missed, would look like the second in a row.
    this.last = undefined;
    this.isAlone = false;
  }
}
