import { busy, problem } from "../parts/actions.js";
import { h, setText } from "../parts/dom.js";
import { t } from "../words/index.js";

/**
 * A lobby before its game, for who has no seat in it.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function watchStage(room, game) {
  const heading = h("h1", { tabindex: -1 });
  const lead = h("p", { class: "lead" });
  const failure = problem();
  const seat = h("button", { type: "button", class: "primary" }, t("watch.seat"));
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
    h("div", { class: "actions" }, seat, h("a", { href: "#", class: "plain" }, t("page.frontDesk"))),
    failure,
  );
  const update = () => {
    const [title, text] = words(room);
    setText(heading, title);
    setText(lead, text);
    setText(seat, t(room.view.status === "forming" ? "watch.seat" : "watch.nextSeat"));
  };
  update();
  return { element, update };
}

function words({ view, you }) {
  const said = (name) => [t(`watch.${name}Title`), t(`watch.${name}`)];
  if (you.role === "player") return said("left");
  if (you.invoice?.owed) return said("late");
  if (you.invoice?.status === "failed") return said("failed");
  if (you.invoice) return said("free");
  if (view.status !== "forming") return said("printing");
  return [t("watch.formingTitle"), t("watch.forming", { coins: view.buy_in_amount })];
}
