import { coins, h } from "../parts/dom.js";
import { rateOf, samplesOf, sumOf } from "./figures.js";

export const PAUSES = {
  operator: "an operator said so",
  limit: "the limit of an hour",
  not_admitted: "the payment service does not let us in",
  refusals: "everything is refused",
};
const KINDS = { payout_owed: "Payouts", refund_owed: "Refunds" };

/**
 * The nodes, the lobbies, the debts, the payouts and the refusals as tables.
 * @param {import("./figures.js").Snapshot[]} snapshots
 */
export function tables(snapshots) {
  const now = snapshots.at(-1);
  const before = snapshots.at(-4) ?? snapshots[0];
  return [nodes(before, now), lobbies(now), debts(now), payouts(now), refusals(now)];
}

const table = (title, heads, rows, none) =>
  h(
    "section",
    {},
    h("h2", {}, title),
    rows.length === 0
      ? h("p", { class: "hint" }, none)
      : h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
          h(
            "table",
            {},
            h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
            h("tbody", {}, ...rows.map(([name, ...cells]) => row(name, cells))),
          ),
        ),
  );

const row = (name, cells) =>
  h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", {}, cell)));

function nodes(before, now) {
  const rows = Object.entries(now).map(([node, figures]) => {
    const calls = rateOf(before[node], figures, "fair_bingo_call_jitter_seconds_count");
    const is = (name) => (sumOf(figures, name) === 1 ? "yes" : "no");
    return [
      node,
      coins(sumOf(figures, "fair_bingo_sockets")),
      calls === null ? "…" : calls.toFixed(1),
      is("fair_bingo_scheduler_up"),
      is("fair_bingo_subscription_up"),
      coins(sumOf(figures, "fair_bingo_failures_total")),
    ];
  });
  const heads = ["Node", "Sockets", "Calls a second", "Clock runs", "Store subscribed", "Errors of ours"];
  return table("Nodes", heads, rows, "No node has reported yet.");
}

/** The lobbies and the debts are the same on every node: the latest word counts. */
const latest = (now) =>
  Object.values(now).sort((one, other) => other.at_ms - one.at_ms)[0] ?? {};

function lobbies(now) {
  const rows = new Map();
  for (const [{ tier, phase }, value] of samplesOf(latest(now), "fair_bingo_lobbies"))
    rows.set(tier, { ...rows.get(tier), [phase]: value });
  const cells = [...rows].map(([tier, { forming, playing }]) => [
    coins(tier),
    coins(forming),
    coins(playing),
  ]);
  return table("Lobbies", ["Buy-in", "Forming", "In play"], cells, "None yet.");
}

function debts(now) {
  const rows = [...samplesOf(latest(now), "fair_bingo_owed_coins")]
    .filter(([, owed]) => owed > 0)
    .map(([{ tier, kind }, owed]) => [
      KINDS[kind],
      coins(tier),
      coins(owed),
      age(sumOf(latest(now), "fair_bingo_oldest_debt_age_seconds", { tier })),
    ]);
  const heads = ["Owed", "Buy-in", "Coins", "Oldest of the tier"];
  return table("Payments owed", heads, rows, "Nothing is owed.");
}

function payouts(now) {
  const rows = [
    ...[...samplesOf(latest(now), "fair_bingo_payouts_paused")]
      .filter(([, paused]) => paused > 0)
      .map(([{ reason }]) => [`Paused: ${PAUSES[reason] ?? reason}`, ""]),
    ...[...samplesOf(latest(now), "fair_bingo_payouts")]
      .filter(([, count]) => count > 0)
      .map(([{ status }, count]) => [status, coins(count)]),
  ];
  return table("Open payouts", ["Status", "Payouts"], rows, "None is open.");
}

function refusals(now) {
  const sums = new Map();
  for (const figures of Object.values(now))
    for (const [{ code }, value] of samplesOf(figures, "fair_bingo_refusals_total"))
      sums.set(code, (sums.get(code) ?? 0) + value);
  const rows = [...sums].sort(([, one], [, other]) => other - one).map(([c, n]) => [c, coins(n)]);
  return table("Refused since the nodes started", ["Code", "Times"], rows, "Nothing was refused.");
}

const age = (seconds) =>
  seconds < 120
    ? `${Math.round(seconds)} s`
    : seconds < 7200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3600)} h`;
