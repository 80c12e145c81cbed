import { h, set } from "./dom.js";
import { t } from "../words/index.js";

/** A cell and its place, for those who do not see it. */
export function cellInWords(number, cell, side) {
  return t("ticket.cell", { number, row: Math.floor(cell / side) + 1, column: (cell % side) + 1 });
}

/**
 * A ticket that is only looked at.
 * @param {number[][]} grid
 * @param {{marks?: Iterable<number>, pattern?: number[], caption: string}} options `pattern` are
 *   the cells to be pointed out
 */
export function printedTicket(grid, { marks = [], pattern = [], caption }) {
  const marked = new Set(marks);
  const cell = (number, index) =>
    h(
      "td",
      {
        class: [marked.has(number) && "marked", pattern.includes(index) && "won"]
          .filter(Boolean)
          .join(" "),
      },
      h("span", { class: "number" }, number),
      marked.has(number) &&
        h(
          "span",
          { class: "visually-hidden" },
          t(pattern.includes(index) ? "ticket.calledInLine" : "ticket.called"),
        ),
    );
  const side = grid.length;
  const element = h(
    "table",
    { class: "ticket printed", "data-side": side },
    h("caption", {}, caption),
    h(
      "tbody",
      {},
      ...grid.map((row, r) => h("tr", {}, ...row.map((number, c) => cell(number, r * side + c)))),
    ),
  );
  element.style.setProperty("--side", side);
  return element;
}

/**
 * A ticket of buttons.
 * @param {number} side
 * @param {string} label
 * @returns {{element: HTMLElement, cells: HTMLElement[]}}
 */
export function liveTicket(side, label) {
  const cells = Array.from({ length: side * side }, () =>
    h("button", { type: "button", class: "cell" }, h("span", { class: "number" })),
  );
  const element = h(
    "div",
    { class: "ticket live", "data-side": side, role: "group", "aria-label": label },
    ...cells,
  );
  element.style.setProperty("--side", side);
  return { element, cells };
}

/** Show a number in a cell of a live ticket. */
export function showCell(cell, { number, label, pressed }) {
  cell.firstChild.textContent = number;
  set(cell, "aria-label", label);
  set(cell, "aria-pressed", pressed);
}
