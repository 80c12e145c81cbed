import { busy, leaveButton, problem } from "../parts/actions.js";
import { announce } from "../parts/announcer.js";
import { h, set, setText } from "../parts/dom.js";
import { columnsOf, rove } from "../parts/roving.js";
import { oneTo } from "../package/draw.js";
import { t } from "../words/index.js";

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
    { class: "balls", role: "group", "aria-label": t("pick.range", { highest }) },
    ...buttons,
  );
  const counter = h("p", { class: "counter", role: "status" });
  const failure = problem();
  const done = h("button", { type: "button", class: "primary" }, t("pick.use"));
  const show = () => {
    buttons.forEach((button, i) => set(button, "aria-pressed", picked.has(i + 1)));
    setText(counter, t("pick.chosen", { chosen: picked.size, all: size }));
    done.disabled = picked.size !== size;
    game.notes.note(room.lobbyId, { picked: [...picked] });
  };
  const toggle = (number) => {
    if (picked.size === size && !picked.has(number))
      return announce(t("pick.enough", { count: size }));
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
    h("h1", { tabindex: -1 }, t("pick.title", { count: size })),
    board,
    counter,
    h(
      "div",
      { class: "actions" },
      done,
      h("button", { type: "button", onclick: surprise }, t("pick.surprise")),
      h(
        "button",
        { type: "button", class: "plain", onclick: () => (picked.clear(), show()) },
        t("pick.clear"),
      ),
      leaveButton(room, game, t("pick.leave")),
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
