import { h } from "../parts/dom.js";
import { t } from "../words/index.js";
import { Account } from "./account.js";
import { leaders } from "./leaders.js";
import { limits } from "./limits.js";
import { pastGames } from "./past_games.js";
import { statement } from "./statement.js";

/**
 * What is behind a player, and what they let themselves do: games, statement, limits, the best.
 * @param {import("../game/game.js").Game} game
 */
export function accountScreen(game) {
  const account = new Account(game.host);
  const element = h(
    "section",
    { class: "account" },
    h("h1", { tabindex: -1 }, t("account.title")),
    pastGames(account, game),
    statement(account),
    limits(account),
    leaders(account, game.me),
    h("p", {}, h("a", { href: "#", class: "button" }, t("page.frontDesk"))),
  );
  return { element };
}
