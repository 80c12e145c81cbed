import { h, svg } from "./dom.js";
import { t } from "../words/index.js";

const SEEN_KEY = "fair-bingo:introduced";
const CELL = 26;

/**
 * The game in three pictures, for who sees it for the first time; null once it was seen.
 * @param {import("../game/storage.js").SafeStorage} storage
 */
export function introduction(storage) {
  if (storage.get(SEEN_KEY) !== null) return null;
  const done = h("button", { type: "button" }, t("intro.done"));
  const pictures = [
    [ticket([]), t("intro.pick")],
    [called(), t("intro.listen")],
    [ticket([3, 4, 5]), t("intro.claim")],
  ];
  const element = h(
    "section",
    { class: "introduction", "aria-label": t("intro.title") },
    h("h2", {}, t("intro.title")),
    h(
      "ol",
      {},
      ...pictures.map(([picture, words]) => h("li", {}, picture, h("p", {}, words))),
    ),
    done,
  );
  done.addEventListener("click", () => {
    introduced(storage);
    element.remove();
  });
  return element;
}

/** Whoever has taken a seat knows the game. */
export const introduced = (storage) => storage.set(SEEN_KEY, "yes");

const picture = (...children) =>
  svg("svg", { viewBox: "0 0 90 90", "aria-hidden": "true", class: "picture" }, ...children);

/** A ticket with marks. */
const ticket = (marked) => picture(...cells(marked));

/** A ball is called that is on the ticket. */
const called = () =>
  picture(...cells([4]), svg("circle", { cx: 66, cy: 24, r: 21, class: "ball-called" }));

const cells = (marked) =>
  Array.from({ length: 9 }, (_, i) =>
    svg("rect", {
      x: 5 + (i % 3) * (CELL + 1),
      y: 5 + Math.floor(i / 3) * (CELL + 1),
      width: CELL,
      height: CELL,
      rx: 3,
      class: marked.includes(i) ? "cell-marked" : "cell-plain",
    }),
  );
