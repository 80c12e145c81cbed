import { busy, leaveButton, problem } from "../parts/actions.js";
import { announce } from "../parts/announcer.js";
import { h, set, setText } from "../parts/dom.js";
import { columnsOf, rove } from "../parts/roving.js";
import { oneTo } from "../package/draw.js";

/**
 * Choosing the numbers of a ticket, by hand or by chance.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function pickStage(room, game) {
  const { side, highest } = game.rulesOf(room.view);
  const size = side * side;
  const picked = new Set(game.notes.of(room.lobbyId).picked);
  const buttons = oneTo(highest).map((number) =>
    h("button", { type: "button", class: "ball", onclick: () => toggle(number) }, number),
  );
  const board = h(
    "div",
    { class: "balls", role: "group", "aria-label": `Numbers 1 to ${highest}` },
    ...buttons,
  );
  const counter = h("p", { class: "counter", role: "status" });
  const failure = problem();
  const done = h("button", { type: "button", class: "primary" }, "Use these numbers");
  const show = () => {
    buttons.forEach((button, i) => set(button, "aria-pressed", picked.has(i + 1)));
    setText(counter, `${picked.size} of ${size} chosen`);
    done.disabled = picked.size !== size;
    game.notes.note(room.lobbyId, { picked: [...picked] });
  };
  const toggle = (number) => {
    if (picked.size === size && !picked.has(number))
      return announce(`You have ${size}. Take one away first.`);
    if (!picked.delete(number)) picked.add(number);
    show();
  };
  const surprise = () => {
    if (picked.size === size) picked.clear();
    for (const number of shuffledByChance(oneTo(highest)))
      if (picked.size < size) picked.add(number);
    show();
  };
  busy(done, failure, () => room.selectNumbers([...picked]));
  show();
  rove(board, () => columnsOf(board));
  const element = h(
    "div",
    { class: "pick" },
    h("h1", { tabindex: -1 }, `Pick ${size} numbers`),
    board,
    counter,
    h(
      "div",
      { class: "actions" },
      done,
      h("button", { type: "button", onclick: surprise }, "Surprise me"),
      h(
        "button",
        { type: "button", class: "plain", onclick: () => (picked.clear(), show()) },
        "Clear",
      ),
      leaveButton(room, game, "Leave"),
    ),
    failure,
  );
  return { element };
}

/** A new order of the items, by the browser's random numbers. */
export function shuffledByChance(items) {
  const keys = crypto.getRandomValues(new Uint32Array(items.length));
  return items
    .map((item, i) => [keys[i], item])
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
