import { Room } from "../package/room.js";
import { alert, announce } from "../parts/announcer.js";
import { countdown } from "../parts/countdown.js";
import { coins, coinsOf, h, set, setText } from "../parts/dom.js";
import { patternInWords } from "../parts/patterns.js";
import { inviteButton } from "../parts/inviting.js";
import { missingPlayers, people, pips } from "../parts/people.js";
import { rosette } from "../parts/rosette.js";
import { WakeLock } from "../parts/wake_lock.js";
import { arrangeStage } from "./arrange.js";
import { serialOf } from "./front_desk.js";
import { payStage } from "./pay.js";
import { pickStage } from "./pick.js";
import { playStage } from "./play.js";
import { resultStage } from "./result.js";
import { watchStage } from "./watch.js";

const STAGES = {
  pay: payStage,
  pick: pickStage,
  arrange: arrangeStage,
  watch: watchStage,
  play: playStage,
  result: resultStage,
};

/** What the timer in the head counts down to. */
const PHASES = { forming: "Starts in", arranging: "Calls begin in" };

/** The states in which a player has to look at the screen. */
const GAME = { arranging: true, active: true };

/** Which stage a player is at. */
function stageName({ view, you }) {
  if (view.status === "finished") return "result";
  if (view.status === "active") return "play";
  if (you.role !== "player" || you.active === false) return "watch";
  if (!you.paid) return "pay";
  return you.numbers ? "arrange" : "pick";
}

/**
 * A lobby from its first seat to its end.
 * @param {import("../game/game.js").Game} game
 * @param {string} lobbyId
 */
export function lobbyScreen(game, lobbyId) {
  const room = new Room(game.connection, lobbyId, game.me);
  const stage = h("div", { class: "stage" }, h("p", { class: "lead" }, "Finding your table …"));
  const slip = lobbySlip(room, game);
  const element = h(
    "section",
    { class: "lobby", "aria-label": "The game" },
    slip.head,
    stage,
    slip.aside,
  );
  const wakeLock = new WakeLock();
  let current = null;
  const show = (name) => {
    current?.close?.();
    current = { name, ...STAGES[name](room, game) };
    stage.replaceChildren(current.element);
    stage.querySelector("h1")?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  };
  const update = () => {
    if (!room.view) return;
    set(element, "data-ink", game.inkOf(room.view.buy_in_amount));
    noteSeal(game, room);
    slip.update();
    wakeLock.want(room.playing && room.view.status in GAME);
    const name = stageName(room);
    if (name !== current?.name) show(name);
    current.update?.();
  };
  room.addEventListener("change", update);
  room.addEventListener("event", ({ detail }) => {
    announceEvent(detail, room);
    if (detail.name === "number_called" && room.playing) game.signals.call();
  });
  const close = () => {
    wakeLock.close();
    current?.close?.();
    room.close();
  };
  return { element, update, close, emitter: room };
}

/** The seal that was shown first is the one that the proof has to open. */
function noteSeal(game, { lobbyId, view }) {
  if (game.notes.of(lobbyId).seedHash === null)
    game.notes.note(lobbyId, { seedHash: view.server_seed_hash });
}

function lobbySlip(room, game) {
  const pot = h("dd", { class: "pot" });
  const seats = h("dd", {});
  const phase = h("dt", {});
  const missing = h("span", {});
  const timer = countdown(game.clock, () => room.view?.deadline ?? null);
  const clock = h("div", { class: "phase" }, phase, h("dd", {}, missing, timer));
  const table = h("p", { class: "table-name" });
  const owed = h("p", { class: "owed", role: "note", hidden: true });
  const list = h("div", {});
  const invite = inviteButton(room.lobbyId);
  const seal = h("figure", { class: "seal" });
  const head = h(
    "header",
    { class: "lobby-head" },
    table,
    h(
      "dl",
      { class: "facts" },
      h("div", {}, h("dt", {}, "Pot"), pot),
      h("div", {}, h("dt", {}, "Seats"), seats),
      clock,
    ),
    owed,
  );
  const aside = h(
    "aside",
    { class: "slip", "aria-label": "Players and seal" },
    h("h2", {}, "At the table"),
    list,
    invite,
    game.signals.switches(),
    seal,
  );
  const update = () => {
    const { view, you } = room;
    const rules = game.rulesOf(view);
    const players = view.status === "forming" ? missingPlayers(view, rules) : null;
    setText(table, `${coins(view.buy_in_amount)} table`);
    setText(pot, coins(view.pot));
    seats.replaceChildren(pips(view.player_count, rules.max_players));
    setText(phase, players ? "Waits for" : (PHASES[view.status] ?? ""));
    setText(missing, players ?? "");
    timer.hidden = players !== null;
    clock.hidden = !(view.status in PHASES);
    list.replaceChildren(people(view, game.me));
    invite.hidden = view.status !== "forming";
    if (!seal.firstChild) seal.append(rosette(view.server_seed_hash), sealCaption(view));
    owed.hidden = !you.invoice?.owed;
    setText(
      owed,
      owed.hidden
        ? ""
        : `${coinsOf(you.invoice.owed, you.invoice.amount, view.buy_in_amount)} coins came in that bought no seat in this game. They are owed back to you.`,
    );
  };
  return { head, aside, update };
}

const sealCaption = (view) =>
  h(
    "figcaption",
    {},
    "Seal of this draw",
    h("span", { class: "serial" }, serialOf(view.lobby_id)),
    h("code", {}, view.server_seed_hash),
  );

/** Say what happened, to those who listen to the page. */
function announceEvent({ name, message }, { me, view }) {
  const isMe = message.alien_id === me;
  if (name === "number_called") announce(`${message.number}`);
  if (name === "player_joined" && !isMe) announce(`${message.alien_id} took a seat.`);
  if (name === "player_kicked" && !isMe)
    announce(
      `${message.alien_id} claimed falsely and is out. ${message.active_players} still play.`,
    );
  if (name === "player_left" && isMe) alert(leftWords(message.reason));
  if (name === "status_changed") announce(STATUS_WORDS[message.status] ?? "The game goes on.");
  if (name === "game_finished" && message.winner && message.winner !== me)
    alert(`${message.winner} won ${coins(view.pot)} with ${patternInWords(message.pattern)}.`);
}

/** Reasons and states that this page does not know yet are of a newer server. */
const leftWords = (reason) =>
  reason in LEFT ? `Your seat is free again: ${LEFT[reason]}.` : "Your seat is free again.";

const LEFT = {
  left: "you gave it up",
  unpaid: "it was not paid in time",
  payment_failed: "the payment failed",
  expired: "the lobby was closed",
  kicked: "the house took it back",
};

const STATUS_WORDS = {
  forming: "Not enough players yet. The timer starts again.",
  arranging: "The players are complete. Print your ticket.",
  active: "The game begins.",
};
