import { TimedOut, within } from "../package/timing.js";
import { countdown } from "../parts/countdown.js";
import { coins, h, setText } from "../parts/dom.js";
import { busy, leaveButton, problem } from "../parts/actions.js";

const WALLET_MS = 25_000;
const NO_ANSWER =
  "Your wallet has not answered yet. If you have paid there, your seat is confirmed by itself. If it asked you nothing, try again.";

/** What the wallet's answer means for the player. */
const ANSWERS = {
  paid: "Sent. Your seat is yours as soon as the payment is confirmed.",
  cancelled: "You did not pay. Your seat is still held.",
  failed: "The payment did not go through. Try again while your seat is held.",
};

/**
 * A seat that is not paid yet.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function payStage(room, game) {
  const price = coins(room.view.buy_in_amount);
  const status = h("p", { role: "status", class: "hint" });
  const failure = problem();
  const button = h("button", { type: "button", class: "primary large" }, `Pay ${price} coins`);
  const isSent = () => game.notes.of(room.lobbyId).sent === room.you.invoice?.invoice_id;
  const show = () => {
    button.disabled = !room.you.invoice || isSent();
    if (isSent()) setText(status, ANSWERS.paid);
  };
  let attempts = 0;
  const take = (invoice, attempt, answer) => {
    if (answer !== "paid" && attempt !== attempts) return; // it was asked again meanwhile
    setText(status, ANSWERS[answer] ?? ANSWERS.failed);
    if (answer !== "paid") return;
    game.notes.note(room.lobbyId, { sent: invoice.invoice_id });
    show();
    room.refresh().catch(() => {}); // the room tells it as well
  };
  busy(button, failure, async () => {
    const { invoice } = room.you;
    const attempt = ++attempts;
    setText(status, "Waiting for your wallet …");
    const paying = game.host.pay(invoice).then((answer) => take(invoice, attempt, answer));
    try {
      await within(WALLET_MS, paying);
    } catch (error) {
      setText(status, error instanceof TimedOut ? NO_ANSWER : "");
      if (!(error instanceof TimedOut)) throw error;
    }
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
  show();
  return { element, update: show };
}
