import { inWords } from "../connection/refusal.js";
import { completePattern } from "../package/patterns.js";
import { busy, problem } from "../parts/actions.js";
import { coins, h, setText } from "../parts/dom.js";
import { patternInWords } from "../parts/patterns.js";
import { printedTicket } from "../parts/ticket.js";
import { fairness } from "./fairness.js";

const ANSWER_MS = 8000;

/**
 * How a game ended, its tickets and its proof.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function resultStage(room, game) {
  const { view } = room;
  const failure = problem();
  const again = h("button", { type: "button", class: "primary" }, "Play the next game");
  busy(again, failure, () => game.take(view.buy_in_amount));
  const how = h("p", { class: "lead" }, leadWords(room, null));
  const tickets = h("div", { class: "tickets" });
  const proofPlace = h("div", { class: "proof-place" });
  const element = h(
    "div",
    { class: "result", "data-won": view.winner === game.me },
    h("h1", { tabindex: -1 }, title(room)),
    how,
    h("div", { class: "actions" }, again, h("a", { href: "#", class: "plain" }, "Front desk")),
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
  const retry = h("button", { type: "button", class: "plain" }, "Look for the proof again");
  const lookForProof = () =>
    showProof().catch((error) => {
      proofPlace.replaceChildren(retry);
      throw error;
    });
  busy(retry, failure, lookForProof);
  if (tookPlace(view)) lookForProof().catch((error) => setText(failure, inWords(error)));
  return { element };
}

/** Only what was played to its end has a winner or none, and a proof. */
const tookPlace = ({ outcome }) => outcome === "won" || outcome === "no_winner";

async function fetchProof(lobbyId) {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(`/api/game/${lobbyId}/proof`, { signal }).catch(() => null);
  if (!answer?.ok) throw new Error("The proof of this game cannot be had at the moment.");
  return answer.json();
}

function observations({ lobbyId, me, you, heard, view }, game) {
  const { seeds, seedHash } = game.notes.of(lobbyId);
  const { rules, patterns } = view;
  const keys = game.beaconKeys;
  return { me, seeds, seedHash, grid: you.grid ?? null, heard, rules, patterns, keys };
}

function title({ view, me }) {
  if (!tookPlace(view))
    return view.outcome === "cancelled" ? "This game did not take place" : "The game was ended";
  if (view.winner === me) return `You won ${coins(view.pot)} coins`;
  return view.winner === null ? "Nobody won" : "The pot is gone";
}

function leadWords({ view, you, me }, proof) {
  const how = proof?.pattern
    ? ` with ${patternInWords(proof.pattern)}, after ${proof.numbers_called.length} calls`
    : "";
  if (view.outcome === "voided" && view.beacon?.round && view.latest_number === null)
    return "It ended before the public beacon had decided its order, and nothing else may. What was paid in is owed back.";
  if (!tookPlace(view) && view.outcome !== "cancelled")
    return "The house has ended it, and nobody wins. What was paid in is owed back.";
  if (view.outcome === "cancelled")
    return you.invoice?.owed || you.paid
      ? "Too few players came. What you paid is owed back to you."
      : "Too few players came. Nobody pays for it.";
  if (view.winner === me) return `Yours was the first true claim${how}.`;
  if (view.winner === null)
    return `Nobody claimed a line. The house keeps the pot of ${coins(view.pot)} coins.`;
  return `${view.winner} won ${coins(view.pot)} coins${how}.`;
}

function ticketOf([alienId, , grid], { winner, numbers_called }, { me, view }) {
  const isWinner = alienId === winner;
  const won = isWinner ? completePattern(grid, numbers_called, view.patterns) : null;
  const caption = h(
    "span",
    {},
    h("bdi", {}, alienId),
    alienId === me && " (you)",
    isWinner && h("b", {}, " won"),
  );
  const ticket = printedTicket(grid, { marks: numbers_called, pattern: won?.cells, caption });
  ticket.classList.toggle("winner", isWinner);
  return ticket;
}

const byWinner = (a, b) => b.classList.contains("winner") - a.classList.contains("winner");
