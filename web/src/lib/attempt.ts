/** A key that nobody else makes up; `crypto.randomUUID` is missing on pages that come over plain HTTP. */
const freshKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The `Idempotency-Key` of what a form is about to send: each retry has the same one, a changed form a new one. */
export class Attempt {
  private body = "";
  private key = "";

  keyOf(body: object): string {
    const text = JSON.stringify(body);
    if (!this.key || text !== this.body) {
      this.body = text;
      this.key = freshKey();
    }
    return this.key;
  }

  /** It was done: the same form sent again is another request. */
  done(): void {
    this.key = "";
  }
}
