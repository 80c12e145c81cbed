import { h, setText } from "../parts/dom.js";
import { charts } from "./charts.js";
import { tables } from "./tables.js";

const LOOK_MS = 2000;
const KEPT_LOOKS = 150;

/** @type {import("./figures.js").Told[]} the latest looks, oldest first */
const looks = [];
const state = document.getElementById("state");
const place = document.getElementById("figures");

async function look() {
  try {
    const answer = await fetch("/ops/nodes", { signal: AbortSignal.timeout(LOOK_MS * 2) });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    looks.push(await answer.json());
    if (looks.length > KEPT_LOOKS) looks.shift();
    place.replaceChildren(
      h("section", { class: "charts", "aria-label": "The last minutes" }, ...charts(looks)),
      ...tables(looks),
    );
    setText(state, `As of ${new Date().toLocaleTimeString()}`);
  } catch (error) {
    setText(state, `No new figures: ${error.message}`);
  }
  setTimeout(look, LOOK_MS);
}

look();
