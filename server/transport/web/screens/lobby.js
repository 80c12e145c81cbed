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
import { has, t } from "../words/index.js";

const STAGES = {
  pay: payStage,
  pick: pickStage,
  arrange: arrangeStage,
  watch: watchStage,
  play: playStage,
  result: resultStage,
};

/** What the timer in the head counts down to. */
const PHASES = { forming: "desk.startsIn", arranging: "lobby.callsIn" };

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
  const stage = h("div", { class: "stage" }, h("p", { class: "lead" }, t("lobby.finding")));
  const slip = lobbySlip(room, game);
  const element = h(
    "section",
    { class: "lobby", "aria-label": t("lobby.label") },
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
      h("div", {}, h("dt", {}, t("desk.pot")), pot),
      h("div", {}, h("dt", {}, t("desk.seats")), seats),
      clock,
    ),
    owed,
  );
  const aside = h(
    "aside",
    { class: "slip", "aria-label": t("lobby.aside") },
    h("h2", {}, t("lobby.atTheTable")),
    list,
    invite,
    game.signals.switches(),
    seal,
  );
  const update = () => {
    const { view, you } = room;
    const rules = game.rulesOf(view);
    const players = view.status === "forming" ? missingPlayers(view, rules) : null;
    setText(table, t("lobby.table", { coins: view.buy_in_amount }));
    setText(pot, coins(view.pot));
    seats.replaceChildren(pips(view.player_count, rules.max_players));
    setText(phase, phaseWords(players, view.status));
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
        : t("lobby.owed", {
            coins: coinsOf(you.invoice.owed, you.invoice.amount, view.buy_in_amount),
          }),
    );
  };
  return { head, aside, update };
}

const phaseWords = (players, status) =>
  players ? t("desk.waitsFor") : status in PHASES ? t(PHASES[status]) : "";

const sealCaption = (view) =>
  h(
    "figcaption",
    {},
    t("lobby.seal"),
    h("span", { class: "serial" }, serialOf(view.lobby_id)),
    h("code", {}, view.server_seed_hash),
  );

/** Say what happened, to those who listen to the page. */
function announceEvent({ name, message }, { me, view }) {
  const isMe = message.alien_id === me;
  if (name === "number_called") announce(`${message.number}`);
  if (name === "player_joined" && !isMe) announce(t("lobby.joined", { name: message.alien_id }));
  if (name === "player_kicked" && !isMe)
    announce(t("lobby.kicked", { name: message.alien_id, count: message.active_players }));
  if (name === "player_left" && isMe) alert(leftWords(message.reason));
  if (name === "status_changed") announce(statusWords(message.status));
  if (name === "game_finished" && message.winner && message.winner !== me)
    alert(
      t("lobby.wonBy", {
        name: message.winner,
        coins: view.pot,
        pattern: patternInWords(message.pattern),
      }),
    );
}

/** Reasons and states that this page does not know yet are of a newer server. */
const leftWords = (reason) => t(has(`left.${reason}`) ? `left.${reason}` : "left.any");
const statusWords = (status) => t(has(`lobby.${status}`) ? `lobby.${status}` : "lobby.goesOn");
