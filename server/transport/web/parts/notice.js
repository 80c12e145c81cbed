import { alert, announce } from "./announcer.js";
import { h } from "./dom.js";
import { t } from "../words/index.js";

const ONCE_MS = 60_000;
const LONGEST_MS = 2 ** 31 - 1;

let timer = 0;
let put = "";

/**
 * Show what the operator says to everybody, until its end, or until it is put away. What stands is
 * said again on each connection: whoever has put it away is spared that.
 * @param {{text: string, level: string, until: number | null}} said
 */
export function showNotice({ text, level, until }) {
  if (text === put) return;
  const place = document.getElementById("notice");
  const close = () => {
    place.hidden = true;
    place.replaceChildren();
  };
  const button = h("button", { type: "button", class: "plain" }, t("notice.putAway"));
  button.addEventListener("click", () => {
    put = text;
    close();
  });
  if (place.hidden || place.firstChild?.textContent !== text)
    (level === "warning" ? alert : announce)(text);
  place.replaceChildren(h("span", {}, text), button);
  place.dataset.level = level;
  place.hidden = false;
  clearTimeout(timer);
  const left = until === null ? ONCE_MS : Math.max(0, until - Date.now());
  timer = setTimeout(close, Math.min(left, LONGEST_MS));
}
