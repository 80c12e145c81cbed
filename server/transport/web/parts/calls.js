import { h, setText } from "./dom.js";
import { rosette } from "./rosette.js";
import { t } from "../words/index.js";

const NOTCH_DEGREES = 24;

/**
 * The latest number called, large, and the one before it; no more, or it would be no game of
 * memory.
 * @param {string} sealHash the engraving around the number
 */
export function callBoard(sealHash) {
  const seal = rosette(sealHash);
  const latest = h("span", { class: "latest" });
  const previous = h("dd", { class: "previous" });
  const index = h("dd", { class: "call-index" });
  const wait = h("div", { class: "call-wait", "aria-hidden": "true" });
  let shown = null;
  let notches = 0;
  const element = h(
    "div",
    { class: "calls" },
    h(
      "p",
      { class: "call" },
      seal,
      h("span", { class: "visually-hidden" }, t("calls.latest")),
      latest,
    ),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, t("calls.before")), previous),
      h("div", {}, h("dt", {}, t("calls.call")), index),
    ),
    wait,
  );
  const show = (view, calls, intervalMs) => {
    setText(previous, view.previous_number ?? "–");
    setText(index, calls ?? "–");
    if (view.latest_number === shown) return;
    shown = view.latest_number;
    setText(latest, shown ?? "");
    seal.style.rotate = `${++notches * NOTCH_DEGREES}deg`;
    restart(latest, "stamped");
    if (intervalMs === null) return;
    wait.style.setProperty("--interval", `${intervalMs}ms`);
    restart(wait, "running");
  };
  return { element, show };
}

/** Run the animation of a class from its beginning. */
function restart(element, name) {
  element.classList.remove(name);
  void element.offsetWidth; // the browser has to see it without the class
  element.classList.add(name);
}
