import { FrontDesk } from "../package/front_desk.js";
import { busy, problem } from "../parts/actions.js";
import { countdown } from "../parts/countdown.js";
import { coins, h, set, setText } from "../parts/dom.js";
import { introduction } from "../parts/introduction.js";
import { rosette } from "../parts/rosette.js";
import { payoutNews } from "../parts/payouts.js";
import { missingPlayers, pips } from "../parts/people.js";
import { t } from "../words/index.js";

/** The seal on a note of which no lobby is open yet. */
const BLANK = "3c".repeat(32);

/**
 * The front desk: a note for each tier, with the lobbies that form at its table.
 * @param {import("../game/game.js").Game} game
 * @param {string} news what the player should know on coming here
 */
export function frontDeskScreen(game, news) {
  const frontDesk = new FrontDesk(game.connection);
  const notes = game.tiers.map((tier, index) => tierNote(tier, index, frontDesk, game));
  const payouts = payoutNews(game, frontDesk);
  const element = h(
    "section",
    { class: "front-desk" },
    h("h1", { tabindex: -1 }, t("page.motto")),
    introduction(game.storage),
    news && h("p", { class: "news", role: "alert" }, news),
    payouts.element,
    h(
      "p",
      { class: "lead" },
      t("desk.lead"),
    ),
    h("div", { class: "notes" }, ...notes.map((note) => note.element)),
    h(
      "p",
      { class: "fine-print" },
      t("desk.finePrint"),
    ),
  );
  const update = () => notes.forEach((note) => note.update());
  frontDesk.addEventListener("change", update);
  const close = () => {
    payouts.close();
    frontDesk.close();
  };
  return { element, update, close, emitter: frontDesk };
}

function tierNote(tier, index, frontDesk, game) {
  const seal = h("div", { class: "note-seal" });
  const serial = h("span", { class: "serial" });
  const others = h("p", { class: "note-others" });
  const pot = h("dd", {});
  const seats = h("dd", {});
  const waiting = h("dt", {});
  const missing = h("span", {});
  let first = null;
  const timer = countdown(game.clock, () => first?.deadline ?? null);
  const failure = problem();
  const button = h(
    "button",
    {
      type: "button",
      class: "primary",
      "aria-label": t("desk.takeSeatFor", { coins: tier.buy_in_amount }),
    },
    t("desk.takeSeat"),
  );
  busy(button, failure, () => game.takeAt(frontDesk, tier.buy_in_amount));
  const element = h(
    "article",
    {
      class: "note",
      "data-ink": index % 4,
      "aria-label": t("desk.table", { coins: tier.buy_in_amount }),
    },
    seal,
    h("h2", { class: "note-value" }, coins(tier.buy_in_amount), h("small", {}, t("desk.unit"))),
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, t("desk.pot")), pot),
      h("div", {}, h("dt", {}, t("desk.seats")), seats),
      h("div", {}, waiting, h("dd", {}, missing, timer)),
    ),
    h("div", { class: "note-action" }, button, serial, others),
    failure,
  );
  const update = () => {
    const lobbies = lobbiesOf(tier, frontDesk);
    first = lobbies[0] ?? null;
    const rules = first?.rules ?? tier;
    const hash = first?.server_seed_hash ?? BLANK;
    if (seal.dataset.hash !== hash) {
      seal.dataset.hash = hash;
      seal.replaceChildren(rosette(hash));
    }
    setText(pot, coins(first?.pot ?? 0));
    seats.replaceChildren(pips(first?.player_count ?? 0, rules.max_players));
    const players = missingPlayers(first, rules);
    setText(waiting, t(players ? "desk.waitsFor" : "desk.startsIn"));
    setText(missing, players ?? "");
    timer.hidden = players !== null;
    setText(serial, first ? serialOf(first.lobby_id) : "");
    setText(others, otherTables(lobbies.length - 1));
    set(element, "aria-busy", !frontDesk.listed);
  };
  update();
  return { element, update };
}

const RULES = ["side", "highest", "min_players", "max_players"];

/**
 * The forming lobbies that a newcomer to the tier may be seated in, the one that is filled first
 * ahead. Others of the price may have been opened by other rules.
 */
function lobbiesOf(tier, { lobbies }) {
  return lobbies
    .filter((lobby) => lobby.buy_in_amount === tier.buy_in_amount && playsLike(lobby, tier))
    .sort((a, b) => b.player_count - a.player_count || a.created_at - b.created_at);
}

const playsLike = ({ rules }, tier) => !rules || RULES.every((name) => rules[name] === tier[name]);

const otherTables = (number) =>
  number > 0 ? t("desk.others", { count: number }) : "";

/** What is printed on a note as its number: the last part of the lobby's id. */
export const serialOf = (lobbyId) => t("desk.serial", { serial: lobbyId.split("_").at(-1) });
