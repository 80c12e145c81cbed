const ANSWER_MS = 8000;

/**
 * The server's clock, as it follows from its messages.
 *
 * A message carries the instant at which it was stored, so at its arrival the server's clock shows
 * at least that: the latest such bound is off by one way through the network. Before any message
 * came live, the `Date` of an HTTP response has to do.
 */
export class ServerClock {
  #offsetMs = Date.now() - performance.now();
  #floorMs = -Infinity;
  #heardLive = false;
  #asked = false;

  /** @param {string} origin the server's */
  constructor(origin) {
    this.origin = origin;
  }

  /** @returns {number} the server's time now, in Unix ms */
  now() {
    return performance.now() + this.#offsetMs;
  }

  /**
   * Take note of a message that was stored at `at` (Unix ms) and arrived now; `live` if it was sent
   * as soon as it was stored, not as a part of a history.
   */
  observe(at, live) {
    if (!Number.isFinite(at)) return;
    this.#floorMs = Math.max(this.#floorMs, at - performance.now());
    this.#heardLive ||= live;
    this.#offsetMs = this.#heardLive ? this.#floorMs : Math.max(this.#offsetMs, this.#floorMs);
  }

  /** Ask the server for its date, which has whole seconds, unless the time is known. */
  async ask() {
    if (this.#heardLive || this.#asked) return;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch(`${this.origin}/health/live`, { method: "HEAD", cache: "no-store", signal });
    const date = Date.parse(answer.headers.get("Date") ?? "");
    if (this.#heardLive || Number.isNaN(date)) return;
    this.#asked = true;
    this.#offsetMs = Math.max(date + 500 - performance.now(), this.#floorMs);
  }
}
