import { countdown } from "../parts/countdown.js";
import { coins, h, setText } from "../parts/dom.js";
import { busy, leaveButton, problem } from "../parts/actions.js";

/** What the wallet's answer means for the player. */
const ANSWERS = {
  paid: "Sent. Your seat is yours as soon as the payment is confirmed.",
  cancelled: "You did not pay. Your seat is still held.",
  failed: "The payment did not go through. Try again while your seat is held.",
};

/**
 * A seat that is not paid yet.
 * @param {import("../game/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function payStage(room, game) {
  const price = coins(room.view.buy_in_amount);
  const status = h("p", { role: "status", class: "hint" });
  const failure = problem();
  const button = h("button", { type: "button", class: "primary large" }, `Pay ${price} coins`);
  busy(button, failure, async () => {
    setText(status, "Waiting for your wallet …");
    try {
      setText(status, ANSWERS[await game.host.pay(room.you.invoice)]);
    } catch (error) {
      setText(status, "");
      throw error;
    }
    await room.refresh();
  });
  const element = h(
    "div",
    { class: "pay" },
    h("h1", { tabindex: -1 }, "A seat is held for you"),
    h(
      "p",
      { class: "held" },
      countdown(game.clock, () => room.you.invoice?.expires_at ?? null),
    ),
    h(
      "p",
      { class: "lead" },
      `Pay ${price} coins before the time is up, and they go into the pot.`,
    ),
    h("div", { class: "actions" }, button, leaveButton(room, game, "Give up the seat")),
    status,
    failure,
  );
  return { element, update: () => (button.disabled = !room.you.invoice) };
}
