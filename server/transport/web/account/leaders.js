import { busy, problem } from "../parts/actions.js";
import { coins, h, setText } from "../parts/dom.js";
import { number, t } from "../words/index.js";
import { section } from "./section.js";

const PERIOD = "month";

/** Those who won most games of the last 30 days, and whether the player is to be among them. */
export function leaders(account, me) {
  const rows = h("tbody", {});
  const failure = problem();
  const news = h("p", { role: "status", class: "hint" });
  const heads = ["rank", "player", "won", "coins"];
  const table = h(
    "table",
    { class: "leaders" },
    h("thead", {}, h("tr", {}, ...heads.map((name) => h("th", { scope: "col" }, t(`best.${name}`))))),
    rows,
  );
  const load = async () => {
    const { players } = await account.leaders(PERIOD);
    rows.replaceChildren(...players.map((player) => row(player, me)));
    table.hidden = players.length === 0;
    setText(news, players.length === 0 ? t("best.none") : "");
  };
  const list = async (listed) => {
    await account.setListed(listed);
    await load();
    setText(news, t(listed ? "best.shown" : "best.hidden"));
  };
  const show = h("button", { type: "button", class: "plain" }, t("best.show"));
  const hide = h("button", { type: "button", class: "plain" }, t("best.hide"));
  busy(show, failure, () => list(true));
  busy(hide, failure, () => list(false));
  const content = h("div", {}, table, news, h("div", { class: "actions" }, show, hide), failure);
  return section(t("best.title"), content, load);
}

const row = ({ rank, alien_id, won, coins_won }, me) =>
  h(
    "tr",
    { "aria-current": alien_id === me ? "true" : null },
    h("td", {}, number(rank)),
    h("td", {}, h("bdi", {}, alien_id)),
    h("td", {}, number(won)),
    h("td", { class: "amount" }, coins(coins_won)),
  );
