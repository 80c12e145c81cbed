/**
 * Figures of nodes: samples by name and labels, as Prometheus writes them, with `at_ms`.
 *
 * @typedef {Record<string, number>} Figures
 * @typedef {Record<string, Figures>} Snapshot the latest figures of each node
 */

const LABEL = /(\w+)="([^"]*)"/g;

/** The samples of a metric: the values of its labels, and the sample's. */
export function* samplesOf(figures, name) {
  for (const [written, value] of Object.entries(figures)) {
    if (written !== name && !written.startsWith(`${name}{`)) continue;
    yield [Object.fromEntries([...written.matchAll(LABEL)].map(([, k, v]) => [k, v])), value];
  }
}

/** The sum of a metric's samples that have these labels. */
export function sumOf(figures, name, labels = {}) {
  let sum = 0;
  for (const [found, value] of samplesOf(figures, name))
    if (Object.entries(labels).every(([label, wanted]) => found[label] === wanted)) sum += value;
  return sum;
}

/** By how much a counter grew each second from one snapshot of a node to another; null if unknown. */
export function rateOf(before, now, name, labels) {
  const seconds = (now.at_ms - (before?.at_ms ?? now.at_ms)) / 1000;
  if (seconds <= 0) return null;
  const grown = sumOf(now, name, labels) - sumOf(before, name, labels);
  return grown < 0 ? null : grown / seconds;
}

/**
 * The quantile of what a histogram took in between two snapshots, over all nodes: the upper bound
 * of the bucket that it falls into, in seconds. Null if it took in nothing.
 * @param {[Figures | undefined, Figures][]} pairs before and now, of each node
 */
export function quantileOf(pairs, name, quantile) {
  const grown = new Map();
  for (const [before, now] of pairs) {
    if (!before) continue;
    for (const [{ le }, value] of samplesOf(now, `${name}_bucket`)) {
      const bound = le === "+Inf" ? Infinity : Number(le);
      const earlier = sumOf(before, `${name}_bucket`, { le });
      grown.set(bound, (grown.get(bound) ?? 0) + value - earlier);
    }
  }
  const bounds = [...grown].sort(([one], [other]) => one - other);
  const total = bounds.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  return bounds.find(([, count]) => count >= quantile * total)[0];
}
