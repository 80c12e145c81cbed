import { inWords } from "../connection/refusal.js";
import { FrontDesk } from "../package/front_desk.js";
import { completePattern } from "../package/patterns.js";
import { busy, problem } from "../parts/actions.js";
import { h, setText } from "../parts/dom.js";
import { patternInWords } from "../parts/patterns.js";
import { payoutNews } from "../parts/payouts.js";
import { printedTicket } from "../parts/ticket.js";
import { fairness } from "./fairness.js";
import { t } from "../words/index.js";

const ANSWER_MS = 8000;

/**
 * How a game ended, its tickets and its proof.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function resultStage(room, game) {
  const { view } = room;
  const failure = problem();
  const again = h("button", { type: "button", class: "primary" }, t("result.next"));
  const payout = isOwed(room) ? payoutOf(room, game) : null;
  busy(again, failure, () =>
    payout ? game.takeAt(payout.frontDesk, view.buy_in_amount) : game.take(view.buy_in_amount),
  );
  const how = h("p", { class: "lead" }, leadWords(room, null));
  const tickets = h("div", { class: "tickets" });
  const proofPlace = h("div", { class: "proof-place" });
  const element = h(
    "div",
    { class: "result", "data-won": view.winner === game.me },
    h("h1", { tabindex: -1 }, title(room)),
    how,
    payout?.element,
    h("div", { class: "actions" }, again, h("a", { href: "#", class: "plain" }, t("page.frontDesk"))),
    failure,
    tickets,
    proofPlace,
  );
  const showProof = async () => {
    const proof = room.ending?.proof ?? (await fetchProof(room.lobbyId));
    setText(how, leadWords(room, proof));
    tickets.replaceChildren(
      ...proof.players.map((row) => ticketOf(row, proof, room)).sort(byWinner),
    );
    proofPlace.replaceChildren(await fairness(proof, observations(room, game)));
  };
  const retry = h("button", { type: "button", class: "plain" }, t("result.retry"));
  const lookForProof = () =>
    showProof().catch((error) => {
      proofPlace.replaceChildren(retry);
      throw error;
    });
  busy(retry, failure, lookForProof);
  if (tookPlace(view)) lookForProof().catch((error) => setText(failure, inWords(error)));
  return { element, close: () => payout?.close() };
}

/** Whether the player won, or what they paid is owed back. */
const isOwed = ({ view, you, me }) =>
  view.winner === me || (you.paid && !tookPlace(view)) || Boolean(you.invoice?.owed);

/** How far the payment of that is, at a front desk of its own. */
function payoutOf({ lobbyId, view, me }, game) {
  const frontDesk = new FrontDesk(game.connection);
  const won = view.winner === me ? view.pot : null;
  const { element, close } = payoutNews(game, frontDesk, { of: lobbyId, won });
  const closeAll = () => {
    close();
    frontDesk.close();
  };
  return { element, frontDesk, close: closeAll };
}

/** Only what was played to its end has a winner or none, and a proof. */
const tookPlace = ({ outcome }) => outcome === "won" || outcome === "no_winner";

async function fetchProof(lobbyId) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(`/api/game/${lobbyId}/proof`, { signal }).catch(() => null);
  if (!answer?.ok) throw new Error(t("result.noProof"));
  return answer.json();
}

function observations({ lobbyId, me, you, heard, view }, game) {
  const { seeds, seedHash } = game.notes.of(lobbyId);
  const { rules, patterns, beacon } = view;
  const keys = game.beaconKeys;
  return { me, seeds, seedHash, grid: you.grid ?? null, heard, beacon, rules, patterns, keys };
}

function title({ view, me }) {
  if (!tookPlace(view))
    return t(view.outcome === "cancelled" ? "result.cancelledTitle" : "result.voidedTitle");
  if (view.winner === me) return t("result.youWon", { coins: view.pot });
  return t(view.winner === null ? "result.nobodyTitle" : "result.lostTitle");
}

function leadWords({ view, you, me }, proof) {
  const { outcome, winner, pot } = view;
  if (outcome === "voided" && view.beacon?.round && view.latest_number === null)
    return t("result.noBeacon");
  if (!tookPlace(view) && outcome !== "cancelled") return t("result.voided");
  if (outcome === "cancelled")
    return t(you.invoice?.owed || you.paid ? "result.cancelledPaid" : "result.cancelled");
  if (winner === null) return t("result.nobody", { coins: pot });
  const how = proof?.pattern && {
    pattern: patternInWords(proof.pattern),
    count: proof.numbers_called.length,
  };
  if (winner === me) return how ? t("result.firstWith", how) : t("result.first");
  const who = { name: winner, coins: pot };
  return how ? t("result.wonByWith", { ...who, ...how }) : t("result.wonBy", who);
}

function ticketOf([alienId, , grid], { winner, numbers_called }, { me, view }) {
  const isWinner = alienId === winner;
  const won = isWinner ? completePattern(grid, numbers_called, view.patterns) : null;
  const caption = h(
    "span",
    {},
    h("bdi", {}, alienId),
    alienId === me && t("page.you"),
    isWinner && h("b", {}, t("result.won")),
  );
  const ticket = printedTicket(grid, { marks: numbers_called, pattern: won?.cells, caption });
  ticket.classList.toggle("winner", isWinner);
  return ticket;
}

const byWinner = (a, b) => b.classList.contains("winner") - a.classList.contains("winner");
