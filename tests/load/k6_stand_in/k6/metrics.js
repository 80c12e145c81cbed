/** Each metric by its name: the sum of what was added, how often, and with which tags. */
export const counted = new Map();

class Metric {
  constructor(name) {
    this.total = { count: 0, values: 0, tags: [] };
    counted.set(name, this.total);
  }

  add(value, tags) {
    if (!Number.isFinite(value)) throw new TypeError(`${value} is no number`);
    this.total.values += 1;
    this.total.count += value;
    this.total.tags.push(tags);
  }
}

export { Metric as Counter, Metric as Trend };
