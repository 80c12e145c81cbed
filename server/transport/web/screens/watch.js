import { busy, problem } from "../parts/actions.js";
import { coins, h, setText } from "../parts/dom.js";

/**
 * A lobby before its game, for who has no seat in it.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function watchStage(room, game) {
  const heading = h("h1", { tabindex: -1 });
  const lead = h("p", { class: "lead" });
  const failure = problem();
  const seat = h("button", { type: "button", class: "primary" }, "Take a seat");
  busy(seat, failure, async () => {
    const { status, buy_in_amount: price } = room.view;
    if (status !== "forming") return game.take(price);
    await game.takeIn(room.lobbyId, price);
    await room.refresh();
  });
  const element = h(
    "div",
    { class: "watch" },
    heading,
    lead,
    h("div", { class: "actions" }, seat, h("a", { href: "#", class: "plain" }, "Front desk")),
    failure,
  );
  const update = () => {
    const [title, text] = words(room);
    setText(heading, title);
    setText(lead, text);
    setText(seat, room.view.status === "forming" ? "Take a seat" : "Take a seat in the next game");
  };
  update();
  return { element, update };
}

function words({ view, you }) {
  const price = coins(view.buy_in_amount);
  if (you.role === "player") return ["You have left this game", "Your buy-in stays in the pot."];
  if (you.invoice?.owed)
    return [
      "Your payment came too late",
      "The game began without you. What you paid is owed back to you in full.",
    ];
  if (you.invoice?.status === "failed")
    return ["The payment failed", "Nothing was taken, and your seat is free again."];
  if (you.invoice)
    return [
      "Your seat is free again",
      "The payment did not come in time. If it is still on its way, it will be owed back to you, or seat you if there is room.",
    ];
  if (view.status === "forming")
    return ["This table is forming", `A seat costs ${price} coins. You can also stay and watch.`];
  return [
    "The players are printing their tickets",
    "You are watching. The calls begin in a moment.",
  ];
}
