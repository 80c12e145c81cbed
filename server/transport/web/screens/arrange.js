import { busy, leaveButton, problem } from "../parts/actions.js";
import { announce } from "../parts/announcer.js";
import { makeArrangeable } from "../parts/arranging.js";
import { h, setText } from "../parts/dom.js";
import { rove } from "../parts/roving.js";
import { liveTicket, placeInWords, showCell } from "../parts/ticket.js";
import { shuffledByChance } from "./pick.js";

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
  const ticket = liveTicket(side, "Your ticket");
  const heading = h("h1", { tabindex: -1 });
  const lead = h("p", { class: "lead", role: "status" });
  const failure = problem();
  const done = h("button", { type: "button", class: "primary" });
  const show = () => {
    ticket.cells.forEach((cell, i) =>
      showCell(cell, {
        number: cells[i],
        label: `${cells[i]}, ${placeInWords(i, side)}`,
        pressed: i === held,
      }),
    );
    setText(heading, room.you.grid ? "Your ticket is printed" : "Arrange your ticket");
    setText(lead, leadWords(room));
    setText(done, room.you.grid ? "Print it again" : "Print my ticket");
    done.disabled = isPrinted(room, cells);
  };
  const change = (next) => {
    cells = next;
    show();
  };
  makeArrangeable(ticket.cells, {
    swap: (from, to) => {
      change(cells.with(from, cells[to]).with(to, cells[from]));
      announce(`${cells[to]} and ${cells[from]} changed places.`);
      ticket.cells[to].focus();
    },
    hold: (cell) => {
      held = cell;
      show();
      if (cell !== null) announce(`${cells[cell]} chosen. Choose its new place.`);
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
      "Drag a number to its place; or choose one, then where it should go.",
    ),
    h(
      "div",
      { class: "actions" },
      done,
      h("button", { type: "button", onclick: () => change(shuffledByChance(cells)) }, "Shuffle"),
      leaveButton(room, game, "Leave"),
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
  if (!you.grid) return "Where a number stands decides which lines it is in.";
  if (view.status === "forming")
    return "You are ready. The game starts when the table is full or the time is up.";
  return "You are ready. The calls begin when all are, or when the time is up.";
}
