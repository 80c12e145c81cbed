import { busy, leaveButton, problem } from "../parts/actions.js";
import { announce } from "../parts/announcer.js";
import { makeArrangeable } from "../parts/arranging.js";
import { h, setText } from "../parts/dom.js";
import { rove } from "../parts/roving.js";
import { liveTicket, cellInWords, showCell } from "../parts/ticket.js";
import { shuffledByChance } from "./pick.js";
import { t } from "../words/index.js";

/**
 * Arranging the chosen numbers; it may be done again until the calls begin.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function arrangeStage(room, game) {
  const { side } = game.rulesOf(room.view);
  const known = () => (room.you.grid ?? [room.you.numbers]).flat();
  let cells = known();
  let before = String(cells);
  let held = null;
  const ticket = liveTicket(side, t("arrange.ticket"));
  const heading = h("h1", { tabindex: -1 });
  const lead = h("p", { class: "lead", role: "status" });
  const failure = problem();
  const done = h("button", { type: "button", class: "primary" });
  const show = () => {
    ticket.cells.forEach((cell, i) =>
      showCell(cell, {
        number: cells[i],
        label: cellInWords(cells[i], i, side),
        pressed: i === held,
      }),
    );
    setText(heading, t(room.you.grid ? "arrange.printed" : "arrange.title"));
    setText(lead, leadWords(room));
    setText(done, t(room.you.grid ? "arrange.again" : "arrange.print"));
    done.disabled = isPrinted(room, cells);
  };
  const change = (next) => {
    cells = next;
    show();
  };
  makeArrangeable(ticket.cells, {
    swap: (from, to) => {
      change(cells.with(from, cells[to]).with(to, cells[from]));
      announce(t("arrange.swapped", { one: cells[to], other: cells[from] }));
      ticket.cells[to].focus();
    },
    hold: (cell) => {
      held = cell;
      show();
      if (cell !== null) announce(t("arrange.held", { number: cells[cell] }));
    },
  });
  rove(ticket.element, () => side);
  busy(done, failure, () => room.arrangeGrid(rows(cells, side)));
  const element = h(
    "div",
    { class: "arrange" },
    heading,
    lead,
    ticket.element,
    h(
      "p",
      { class: "hint" },
      t("arrange.hint"),
    ),
    h(
      "div",
      { class: "actions" },
      done,
      h("button", { type: "button", onclick: () => change(shuffledByChance(cells)) }, t("arrange.shuffle")),
      leaveButton(room, game, t("pick.leave")),
    ),
    failure,
  );
  const update = () => {
    if (String(known()) !== before) cells = known(); // it was printed in another tab
    before = String(known());
    show();
  };
  show();
  return { element, update };
}

const rows = (cells, side) =>
  Array.from({ length: side }, (_, r) => cells.slice(r * side, (r + 1) * side));

const isPrinted = ({ you }, cells) => String(you.grid) === String(cells);

function leadWords({ view, you }) {
  if (!you.grid) return t("arrange.lead");
  return t(view.status === "forming" ? "arrange.readyForming" : "arrange.ready");
}
