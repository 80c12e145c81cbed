import { coins, h, svg } from "../parts/dom.js";
import { quantileOf, rateOf, sumOf } from "./figures.js";

const WIDTH = 240;
const HEIGHT = 56;
/** Rates are taken over so many snapshots, since not every one holds something new. */
const SMOOTHING_SNAPSHOTS = 3;

const ms = (seconds) => (seconds === Infinity ? "over 10 s" : `${+(seconds * 1000).toFixed(1)} ms`);
const aSecond = (rate) => `${rate < 10 ? rate.toFixed(1) : coins(Math.round(rate))} a second`;

/** What is drawn: a title, how pairs of snapshots are read, and how a value is written. */
const CHARTS = [
  ["Sockets", (pairs) => total(pairs, "fair_bingo_sockets"), coins],
  ["Calls", (pairs) => rate(pairs, "fair_bingo_call_jitter_seconds_count"), aSecond],
  ["Call jitter, p99 at most", (pairs) => quantileOf(pairs, "fair_bingo_call_jitter_seconds", 0.99), ms],
  ["Push latency, p99 at most", (pairs) => quantileOf(pairs, "fair_bingo_push_latency_seconds", 0.99), ms],
  ["Deliveries", (pairs) => rate(pairs, "fair_bingo_socket_writes_total"), aSecond],
  ["Refusals", (pairs) => rate(pairs, "fair_bingo_refusals_total"), aSecond],
];

const total = (pairs, name) => pairs.reduce((sum, [, now]) => sum + sumOf(now, name), 0);

function rate(pairs, name) {
  const rates = pairs.map(([before, now]) => rateOf(before, now, name)).filter((r) => r !== null);
  return rates.length === 0 ? null : rates.reduce((sum, r) => sum + r, 0);
}

/**
 * A small plot of each figure over the snapshots.
 * @param {import("./figures.js").Snapshot[]} snapshots
 */
export const charts = (snapshots) =>
  CHARTS.map(([title, read, write]) => {
    const before = (i) => snapshots[Math.max(i - SMOOTHING_SNAPSHOTS, 0)];
    const values = snapshots.map((now, i) => read(pairsOf(before(i), now)));
    const latest = values.at(-1);
    return h(
      "figure",
      {},
      h("figcaption", {}, title, h("strong", {}, latest === null ? "none" : write(latest))),
      plot(values, title),
    );
  });

/** Each node's figures of two snapshots. */
const pairsOf = (before, now) =>
  Object.entries(now).map(([node, figures]) => [before[node], figures]);

function plot(values, title) {
  const drawn = values.map((value) => (Number.isFinite(value) ? value : null));
  const most = Math.max(...drawn.filter((value) => value !== null), 0) || 1;
  const step = WIDTH / Math.max(values.length - 1, 1);
  let pen = "M";
  let path = "";
  drawn.forEach((value, i) => {
    if (value === null) return void (pen = "M");
    path += `${pen}${(i * step).toFixed(1)} ${(HEIGHT - 2 - (value / most) * (HEIGHT - 4)).toFixed(1)}`;
    pen = "L";
  });
  return svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} over time` },
    svg("path", { d: path || "M0 0" }),
  );
}
