import { pause } from "../package/timing.js";
import { has, t } from "../words/index.js";
import { announce } from "./announcer.js";
import { coins, h, setText } from "./dom.js";

const FIRST_MS = 2000;
const MOST_MS = 60_000;
const MOST_LINES = 3;

/**
 * How far the payment of what a game owes is.
 * @param {{amount: number, status: string, reference: string | null}} payout
 */
export function payoutInWords({ amount, status, reference }) {
  const key = `payout.${status}`;
  const values = { coins: coins(amount), reference: reference ?? "" };
  return t(has(key) ? key : "payout.due", values);
}

/**
 * What games owe the player, a line each, until it is paid and then by which reference. Of one
 * game, `of`, which won the player `won` coins or nothing, or of the latest ones that are open.
 * @param {import("../game/game.js").Game} game
 * @param {import("../package/front_desk.js").FrontDesk} frontDesk
 * @param {{of?: string | null, won?: number | null}} options
 */
export function payoutNews(game, frontDesk, { of = null, won = null } = {}) {
  const element = h("div", { class: "payouts", hidden: true });
  /** @type {Map<string, HTMLElement>} */
  const lines = new Map();
  const paid = new Set();
  let closed = false;
  const say = (lobbyId, payout) => {
    if (!lines.has(lobbyId)) lines.set(lobbyId, element.appendChild(h("p", {})));
    setText(lines.get(lobbyId), payoutInWords(payout));
    element.hidden = false;
  };
  frontDesk.addEventListener("payout", ({ detail }) => {
    if (of !== null && detail.lobby_id !== of) return;
    paid.add(detail.lobby_id);
    say(detail.lobby_id, detail);
    announce(payoutInWords(detail));
  });
  const ofOne = (games) => {
    const past = games.find(({ lobby_id }) => lobby_id === of);
    const payout = past ? past.payout : won && { amount: won, status: "due", reference: null };
    if (payout) say(of, payout);
    else element.hidden = true; // nobody pays what was played for with test payments
    return past !== undefined && (payout === null || payout.status === "settled");
  };
  const ofAll = (games) => {
    const open = games.filter(({ payout }) => payout && payout.status !== "settled");
    const news = open.filter(({ lobby_id }) => !paid.has(lobby_id)).slice(0, MOST_LINES);
    news.forEach(({ lobby_id, payout }) => say(lobby_id, payout));
    return true;
  };
  const look = of === null ? ofAll : ofOne;
  const follow = async () => {
    for (let waitMs = FIRST_MS; !closed; waitMs = Math.min(2 * waitMs, MOST_MS)) {
      const page = await latestGames(game).catch(() => null); // then they are asked for again
      if (paid.has(of) || (page && look(page.games))) return;
      await pause(waitMs);
    }
  };
  if (game.hasBooks) follow();
  return { element, close: () => (closed = true) };
}

async function latestGames(game) {
  const { Account } = await import("../account/account.js");
  return new Account(game.host).games();
}
