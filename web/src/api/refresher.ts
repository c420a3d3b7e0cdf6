/** Refetches what an event made stale: coalesced per key, never two at once, until the answer has seen the event. */
export class Refresher {
  private readonly wanted = new Map<string, number>();
  private readonly running = new Set<string>();

  constructor(
    private readonly pauseMs = 150,
    private readonly attempts = 5,
  ) {}

  /** The sequence that an answer for `key` must have seen; 0 when nothing is known. */
  floor(key: string): number {
    return this.wanted.get(key) ?? 0;
  }

  /**
   * Asks for `key` as of at least `seq`. `fetch` answers the sequence that its data has seen, or null when nobody
   * is looking at the data now (it will be fetched with the floor when somebody does).
   */
  want(key: string, seq: number, fetch: () => Promise<number | null>): void {
    this.wanted.set(key, Math.max(seq, this.floor(key)));
    if (this.running.has(key)) return;
    this.running.add(key);
    void this.run(key, fetch).finally(() => this.running.delete(key));
  }

  /** Forgets every floor: the log behind the gateway is another one. */
  reset(): void {
    this.wanted.clear();
  }

  private async run(key: string, fetch: () => Promise<number | null>): Promise<void> {
    for (let attempt = 0; attempt < this.attempts; ) {
      await new Promise((done) => setTimeout(done, this.pauseMs * 2 ** attempt));
      const asked = this.floor(key);
      const seen = await fetch().catch(() => -1);
      if (seen === null || seen >= this.floor(key)) return;
      attempt = seen >= asked ? 0 : attempt + 1;
    }
    // The views are too far behind: showing what they have beats asking for what they cannot give.
    this.wanted.delete(key);
    await fetch().catch(() => null);
  }
}
