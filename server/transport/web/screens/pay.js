import { TimedOut, within } from "../package/timing.js";
import { countdown } from "../parts/countdown.js";
import { h, setText } from "../parts/dom.js";
import { busy, leaveButton, problem } from "../parts/actions.js";
import { t } from "../words/index.js";

const WALLET_MS = 25_000;
/** What the wallet's answer may be. */
const ANSWERS = ["paid", "cancelled", "failed"];

/**
 * A seat that is not paid yet.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function payStage(room, game) {
  const price = { coins: room.view.buy_in_amount };
  const status = h("p", { role: "status", class: "hint" });
  const failure = problem();
  const button = h("button", { type: "button", class: "primary large" }, t("pay.button", price));
  const isSent = () => game.notes.of(room.lobbyId).sent === room.you.invoice?.invoice_id;
  const show = () => {
    button.disabled = !room.you.invoice || isSent();
    if (isSent()) setText(status, t("pay.paid"));
  };
  let attempts = 0;
  const take = (invoice, attempt, answer) => {
    if (answer !== "paid" && attempt !== attempts) return; // it was asked again meanwhile
    setText(status, t(`pay.${ANSWERS.includes(answer) ? answer : "failed"}`));
    if (answer !== "paid") return;
    game.notes.note(room.lobbyId, { sent: invoice.invoice_id });
    show();
    room.refresh().catch(() => {}); // the room receives it as well
  };
  busy(button, failure, async () => {
    const { invoice } = room.you;
    const attempt = ++attempts;
    setText(status, t("pay.waiting"));
    const paying = game.host.pay(invoice).then((answer) => take(invoice, attempt, answer));
    try {
      await within(WALLET_MS, paying);
    } catch (error) {
      setText(status, error instanceof TimedOut ? t("pay.noAnswer") : "");
      if (!(error instanceof TimedOut)) throw error;
    }
  });
  const element = h(
    "div",
    { class: "pay" },
    h("h1", { tabindex: -1 }, t("pay.title")),
    h(
      "p",
      { class: "held" },
      countdown(game.clock, () => room.you.invoice?.expires_at ?? null),
    ),
    h(
      "p",
      { class: "lead" },
      t("pay.lead", price),
    ),
    h("div", { class: "actions" }, button, leaveButton(room, game, t("pay.giveUp"))),
    status,
    failure,
    h("p", { class: "fine-print" }, h("a", { href: "#account" }, t("limits.title"))),
  );
  show();
  return { element, update: show };
}
