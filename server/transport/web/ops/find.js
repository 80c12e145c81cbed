import { coins, h, setText } from "../parts/dom.js";
import { date } from "../words/index.js";
import { ask } from "./api.js";
import { row as payoutRow } from "./payouts.js";

const LOBBY = /^lobby_[0-9]+(-[0-9]+)?_[0-9a-f]{12}$/;

/**
 * Where a lobby or a player is found by id, with what can be done there.
 * @param {ReturnType<import("./actions.js").actionsOf>} actions
 */
export function finder(actions) {
  const failure = h("p", { role: "alert", class: "problem" });
  const found = h("div", { class: "found", "aria-live": "polite" });
  const id = h("input", {
    id: "sought",
    type: "search",
    required: true,
    autocomplete: "off",
    spellcheck: false,
    autocapitalize: "none",
  });
  let sought = "";
  const look = async () => {
    setText(failure, "");
    try {
      const shown = LOBBY.test(sought)
        ? lobby(await ask(`lobbies/${sought}`), actions, show)
        : player(await ask(`players/${encodeURIComponent(sought)}`), actions, show);
      found.replaceChildren(shown);
    } catch (error) {
      found.replaceChildren();
      setText(failure, error.message);
    }
  };
  const show = (name) => {
    id.value = sought = name;
    return look();
  };
  const search = (event) => {
    event.preventDefault();
    show(id.value.trim());
  };
  const element = h(
    "section",
    { class: "find" },
    h("h2", {}, "Find"),
    h(
      "form",
      { class: "actions", role: "search", onsubmit: search },
      h("label", { for: "sought" }, "Player or lobby"),
      id,
      h("button", {}, "Look"),
    ),
    failure,
    found,
  );
  return { element, refresh: () => (sought ? look() : Promise.resolve()) };
}

const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    ...pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );

const link = (name, show) =>
  h("button", { type: "button", class: "plain", onclick: () => show(name) }, name);

function lobby(look, actions, show) {
  const { lobby_id, view, owed, payouts, steps, problem, in_books } = look;
  const over = view?.status === "finished";
  return h(
    "article",
    {},
    h("h3", {}, lobby_id),
    problem && h("p", { class: "problem" }, `The record does not hold: ${problem}`),
    view &&
      facts([
        ["State", over ? `finished: ${view.outcome}` : view.status],
        ["Buy-in", coins(view.buy_in_amount)],
        ["Pot", coins(view.pot)],
        ["Winner", view.winner ?? "none"],
        ["Kept in", in_books ? "the books" : "the store"],
      ]),
    view && !over && h("div", { class: "actions" }, actions.void(look)),
    view && h("h4", {}, "Seats"),
    view && h("ul", { class: "rows" }, ...view.players.map((seat) => row(seat, look, actions, show))),
    h("h4", {}, "Owed and not settled"),
    debts(owed, show),
    payouts.length > 0 && h("h4", {}, "Payouts"),
    payouts.length > 0 &&
      h("ul", { class: "rows" }, ...payouts.map((payout) => payoutRow(payout, actions))),
    h("h4", {}, "What happened"),
    h(
      "ol",
      { class: "steps", tabindex: "0", "aria-label": "What happened" },
      ...steps.map(({ at, text }) => h("li", {}, h("time", {}, at.slice(11, 23)), ` ${text}`)),
    ),
  );
}

function row({ alien_id, paid, ready, active }, look, actions, show) {
  const words = [paid ? "paid" : "not paid", ready && "ready", !active && "out"].filter(Boolean);
  return h(
    "li",
    {},
    link(alien_id, show),
    h("span", {}, words.join(", ")),
    look.view.status === "forming" && actions.kick(alien_id, look),
  );
}

function player({ alien_id, banned, until, seats, owed }, actions, show) {
  const end = until === null ? "for good" : `until ${date(until)}`;
  return h(
    "article",
    {},
    h("h3", {}, alien_id),
    facts([["Banned", banned ? end : "no"]]),
    h("div", { class: "actions" }, banned ? actions.unban(alien_id) : actions.ban(alien_id)),
    h("h4", {}, "Seats in lobbies that are not over"),
    seats.length === 0
      ? h("p", { class: "hint" }, "None.")
      : h(
          "ul",
          { class: "rows" },
          ...seats.map(({ lobby_id, status, paid, active }) =>
            h(
              "li",
              {},
              link(lobby_id, show),
              h("span", {}, [status, paid ? "paid" : "not paid", !active && "out"].filter(Boolean).join(", ")),
            ),
          ),
        ),
    h("h4", {}, "Owed and not settled"),
    debts(owed, show),
  );
}

function debts(owed, show) {
  if (owed.length === 0) return h("p", { class: "hint" }, "Nothing.");
  return h(
    "ul",
    { class: "rows" },
    ...owed.map(({ entry, kind, alien_id, lobby_id, amount }) =>
      h(
        "li",
        {},
        h("span", {}, `${coins(amount)} coins, ${kind.replace("_owed", "")} to ${alien_id}`),
        h("small", {}, entry),
        lobby_id && link(lobby_id, show),
      ),
    ),
  );
}
