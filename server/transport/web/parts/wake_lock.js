/**
 * Keeps the screen awake while `wanted` says so, where the browser can. A browser lets go of it when
 * the page is hidden: it is asked again when the page is back.
 */
export class WakeLock {
  #lock = null;
  #asking = false;
  #wanted = false;
  #closing = new AbortController();

  constructor() {
    const { signal } = this.#closing;
    document.addEventListener("visibilitychange", () => this.#ask(), { signal });
  }

  /** @param {boolean} wanted */
  want(wanted) {
    this.#wanted = wanted;
    if (wanted) this.#ask();
    else this.#release();
  }

  close() {
    this.#closing.abort();
    this.want(false);
  }

  async #ask() {
    const isHeld = this.#lock !== null && !this.#lock.released;
    if (!this.#wanted || isHeld || this.#asking || document.hidden || !navigator.wakeLock) return;
    this.#asking = true;
    try {
      this.#lock = await navigator.wakeLock.request("screen");
    } catch {
      // The browser will not, on a battery that is low for instance.
    } finally {
      this.#asking = false;
    }
    if (!this.#wanted) this.#release();
  }

  #release() {
    this.#lock?.release();
    this.#lock = null;
  }
}
