/**
 * What outlives a reload, where the browser lets it. Nothing here ever throws: what the browser does
 * not take (it is full, or the page is embedded in one that may store nothing) is kept until the
 * page goes.
 */
export class SafeStorage {
  /** @type {Map<string, string>} */
  #kept = new Map();

  /**
   * @param {string} key
   * @returns {string | null}
   */
  get(key) {
    return this.#kept.get(key) ?? attempt(() => localStorage.getItem(key));
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  set(key, value) {
    this.#kept.set(key, value);
    attempt(() => {
      localStorage.setItem(key, value);
      this.#kept.delete(key); // other tabs may change it from now on
    });
  }

  /** @param {string} key */
  remove(key) {
    this.#kept.delete(key);
    attempt(() => localStorage.removeItem(key));
  }

  /** The keys of what outlives this page. */
  keys() {
    return attempt(() => Object.keys(localStorage)) ?? [];
  }
}

function attempt(access) {
  try {
    return access();
  } catch {
    return null;
  }
}
