import { h } from "./dom.js";
import { t } from "../words/index.js";

/** Seats as a row of dots, with the words for them. */
export function pips(taken, all) {
  const dots = Array.from({ length: all }, (_, i) =>
    h("i", { class: i < taken ? "pip taken" : "pip" }),
  );
  return h(
    "span",
    { class: "pips" },
    h("span", { class: "visually-hidden" }, t("people.taken", { taken, all })),
    h("span", { "aria-hidden": "true" }, ...dots),
  );
}

/**
 * What a forming lobby waits for: players, or else the end of its timer.
 * @param {import("../package/view.js").View | null} view
 * @param {import("../package/view.js").Rules} rules
 * @returns {string | null} in words; null when it is the timer
 */
export function missingPlayers(view, rules) {
  const paid = view ? view.pot / view.buy_in_amount : 0;
  return paid < rules.min_players ? t("people.missing", { count: rules.min_players - paid }) : null;
}

/**
 * Who is in the game and how far they are. Names are text, whatever is in them.
 * @param {import("../package/view.js").View} view
 * @param {string} me
 */
export function people(view, me) {
  const row = (player) =>
    h(
      "li",
      { class: player.active ? "" : "out" },
      h(
        "span",
        { class: "name" },
        h("bdi", {}, player.alien_id),
        player.alien_id === me && h("b", {}, t("page.you")),
      ),
      h("span", { class: "state" }, stateInWords(player, view)),
    );
  return h("ul", { class: "people" }, ...view.players.map(row));
}

function stateInWords({ alien_id, paid, ready, active }, { status, winner }) {
  if (alien_id === winner) return t("people.won");
  if (!active) return t("people.out");
  if (!paid) return t("people.paying");
  if (status === "active") return t("people.playing");
  if (status === "finished") return t("people.played");
  return t(ready ? "people.ready" : "people.printing");
}
