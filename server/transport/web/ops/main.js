import { h, setText } from "../parts/dom.js";
import { charts } from "./charts.js";
import { tables } from "./tables.js";

const POLL_MS = 2000;
const MOST_SNAPSHOTS = 150;

/** @type {import("./figures.js").Snapshot[]} the latest snapshots, oldest first */
const snapshots = [];
const state = document.getElementById("state");
const place = document.getElementById("figures");

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
    setText(state, `As of ${new Date().toLocaleTimeString()}`);
  } catch (error) {
    setText(state, `No new figures: ${error.message}`);
  }
  setTimeout(poll, POLL_MS);
}

poll();
