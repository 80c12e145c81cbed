import { h, setText } from "../parts/dom.js";
import { moment } from "../words/index.js";
import { actionsOf } from "./actions.js";
import { ask } from "./api.js";
import { charts } from "./charts.js";
import { samplesOf } from "./figures.js";
import { finder } from "./find.js";
import { operatorLog } from "./log.js";
import { orders } from "./orders.js";
import { payouts } from "./payouts.js";
import { PAUSES, tables } from "./tables.js";

const POLL_MS = 2000;
const MOST_SNAPSHOTS = 150;

/** @type {import("./figures.js").Snapshot[]} the latest snapshots, oldest first */
const snapshots = [];
const state = document.getElementById("state");
const place = document.getElementById("figures");
const work = document.getElementById("work");

let afterPoll = () => {};

async function poll() {
  try {
    const answer = await fetch("/ops/nodes", { signal: AbortSignal.timeout(POLL_MS * 2) });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    snapshots.push(await answer.json());
    if (snapshots.length > MOST_SNAPSHOTS) snapshots.shift();
    place.replaceChildren(
      h("section", { class: "charts", "aria-label": "The last minutes" }, ...charts(snapshots)),
      ...tables(snapshots),
    );
    afterPoll();
    setText(state, `As of ${moment(Date.now())}`);
  } catch (error) {
    setText(state, `No new figures: ${error.message}`);
  }
  setTimeout(poll, POLL_MS);
}

/** The buy-ins in the statistics of the nodes. */
function tiers() {
  const latest = Object.values(snapshots.at(-1) ?? {});
  const found = latest.flatMap((figures) => [...samplesOf(figures, "fair_bingo_lobbies")]);
  return [...new Set(found.map(([{ tier }]) => Number.parseInt(tier, 10)))];
}

/** Whether payouts pause, and how many are due, by the node that reported last; null if it knows of none. */
function payoutsOverview() {
  const latest = Object.values(snapshots.at(-1) ?? {}).sort((one, other) => other.at_ms - one.at_ms)[0] ?? {};
  const pauses = [...samplesOf(latest, "fair_bingo_payouts_paused")].filter(([, paused]) => paused > 0);
  const due = [...samplesOf(latest, "fair_bingo_payouts")].find(([{ status }]) => status === "due");
  return due ? { paused: pauses.length ? PAUSES[pauses[0][0].reason] : null, due: due[1] } : null;
}

async function begin() {
  const { name, role, actions: may } = await ask("me");
  setText(document.getElementById("operator"), `${name}, ${role}`);
  const done = h("p", { role: "status", class: "done" });
  const parts = [];
  const refresh = () =>
    Promise.all(parts.map((part) => part.refresh())).catch((error) => setText(done, error.message));
  const actions = actionsOf(may, (words) => {
    setText(done, words);
    refresh();
  });
  parts.push(finder(actions), orders(actions, tiers));
  if (may.includes("payouts/list")) {
    const ofPayouts = payouts(actions, payoutsOverview);
    parts.push(ofPayouts);
    afterPoll = ofPayouts.follow;
  }
  parts.push(operatorLog());
  work.replaceChildren(done, ...parts.map((part) => part.element));
  await refresh();
}

await poll();
begin().catch((error) => work.replaceChildren(h("p", { role: "alert", class: "problem" }, error.message)));
