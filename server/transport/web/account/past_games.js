import { busy, problem } from "../parts/actions.js";
import { coins, h } from "../parts/dom.js";
import { patternInWords } from "../parts/patterns.js";
import { payoutInWords } from "../parts/payouts.js";
import { date, t } from "../words/index.js";
import { section } from "./section.js";

/** The games that a player has behind them, each with its proof. */
export function pastGames(account, game) {
  const list = h("ul", { class: "past-games" });
  const failure = problem();
  const more = h("button", { type: "button", class: "plain", hidden: true }, t("games.more"));
  let next = null;
  const load = async () => {
    const page = await account.games(next);
    next = page.next;
    list.append(...page.games.map((past) => gameRow(past, game)));
    more.hidden = next === null;
    if (!list.hasChildNodes()) list.append(h("li", { class: "hint" }, t("games.none")));
  };
  busy(more, failure, load);
  return section(t("games.title"), h("div", {}, list, more, failure), load);
}

function gameRow(past, game) {
  const serial = past.lobby_id.split("_").at(-1);
  return h(
    "li",
    { "data-ink": game.inkOf(past.buy_in_amount), "data-won": past.won },
    h("strong", {}, outcome(past)),
    h("span", { class: "hint" }, date(past.finished_at), " · ", t("desk.serial", { serial })),
    h("span", {}, t("games.money", { paid: coins(past.paid_in), won: coins(past.paid_out) })),
    past.payout && h("span", { class: "hint" }, payoutInWords(past.payout)),
    past.outcome !== "cancelled" &&
      past.outcome !== "voided" &&
      h("a", { href: `/verify#${past.lobby_id}` }, t("games.check", { serial })),
  );
}

function outcome({ won, kicked, outcome, pattern }) {
  if (won) return t("games.won", { pattern: pattern ? patternInWords(pattern) : "" });
  return t(kicked ? "games.kicked" : `games.${outcome === "won" ? "lost" : outcome}`);
}
