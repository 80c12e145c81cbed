/**
 * Wait for what somebody else has promised, but not for ever: rejects with TimedOut after `ms`. What
 * comes later than that is for those who hold on to the promise itself.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function within(ms, promise) {
  let timer = 0;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut()), ms);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

/** There was no answer in time. There may yet be one. */
export class TimedOut extends Error {
  code = "timed_out";

  constructor() {
    super("there was no answer in time");
  }
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const FIRST_MS = 1000;
const MOST_MS = 8000;

/**
 * How long to wait before each attempt: at random up to a limit that doubles, from the first one
 * on, so that those whom one fault has hit do not all come back at the same instant.
 */
export class Backoff {
  #failures = 0;

  /** @returns {number} in ms */
  next() {
    return Math.random() * Math.min(MOST_MS, FIRST_MS * 2 ** this.#failures++);
  }

  /** It went well: the next fault is a new one. */
  reset() {
    this.#failures = 0;
  }
}
