/**
 * What came and was not taken yet, to iterate over. Whoever stops, and iterates again, goes on where
 * they stopped.
 */
export class EventQueue {
  #items = [];
  #error = null;
  #ended = false;
  #wake = () => {};

  push(item) {
    if (this.#ended) return;
    this.#items.push(item);
    this.#wake();
  }

  /** Nothing comes after what is there already. */
  end() {
    this.#ended = true;
    this.#wake();
  }

  /** The same, and it is an error. */
  fail(error) {
    if (!this.#ended) this.#error = error;
    this.end();
  }

  [Symbol.asyncIterator]() {
    return { next: () => this.#next() };
  }

  async #next() {
    while (this.#items.length === 0 && !this.#ended) {
      await new Promise((resolve) => {
        const wakeOthers = this.#wake;
        this.#wake = () => (wakeOthers(), resolve());
      });
    }
    if (this.#items.length > 0) return { done: false, value: this.#items.shift() };
    this.#wake = () => {};
    const error = this.#error;
    this.#error = null;
    if (error) throw error;
    return { done: true, value: undefined };
  }
}
