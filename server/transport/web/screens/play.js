import { inWords } from "../connection/refusal.js";
import { problem } from "../parts/actions.js";
import { alert } from "../parts/announcer.js";
import { callBoard } from "../parts/calls.js";
import { claimButton } from "../parts/claiming.js";
import { h, set, setText } from "../parts/dom.js";
import { rove } from "../parts/roving.js";
import { liveTicket, cellInWords, showCell } from "../parts/ticket.js";
import { list, t } from "../words/index.js";

/**
 * The game: what is called, the ticket, the claim. The player marks; the page never does.
 * @param {import("../package/room.js").Room} room
 * @param {import("../game/game.js").Game} game
 */
export function playStage(room, game) {
  const { side } = game.rulesOf(room.view);
  const calls = callBoard(room.view.server_seed_hash);
  const marks = new Set(game.notes.of(room.lobbyId).marks);
  const ticket = liveTicket(side, t("play.ticket"));
  const lead = h("p", { class: "lead", role: "status" });
  const failure = problem();
  const claim = claimButton(() => send());
  const show = () => {
    const cells = room.you.grid?.flat() ?? [];
    ticket.element.hidden = cells.length === 0;
    cells.forEach((number, i) =>
      showCell(ticket.cells[i], {
        number,
        label: cellInWords(number, i, side),
        pressed: marks.has(number),
      }),
    );
    set(ticket.element, "data-void", !room.playing);
    set(element, "data-watching", cells.length === 0);
    claim.element.hidden = !room.playing;
    setText(lead, leadWords(room, game.notes.of(room.lobbyId).missing));
    calls.show(room.view, room.calls, room.callIntervalMs);
  };
  ticket.cells.forEach((cell, i) =>
    cell.addEventListener("click", () => {
      const number = room.you.grid.flat()[i];
      if (!marks.delete(number)) marks.add(number);
      game.notes.note(room.lobbyId, { marks: [...marks] });
      show();
    }),
  );
  const send = async () => {
    setText(failure, "");
    try {
      const answer = await room.claim();
      if (!answer.kicked) return;
      game.notes.note(room.lobbyId, { missing: answer.missing_numbers });
      show();
      alert(leadWords(room, answer.missing_numbers));
    } catch (error) {
      setText(failure, inWords(error));
    }
  };
  /** Marks of another tab. */
  const marked = new AbortController();
  const reread = () => {
    marks.clear();
    game.notes.of(room.lobbyId).marks.forEach((number) => marks.add(number));
    show();
  };
  addEventListener("storage", reread, { signal: marked.signal });
  rove(ticket.element, () => side);
  const element = h(
    "div",
    { class: "play" },
    h("h1", { tabindex: -1, class: "visually-hidden" }, t("play.title")),
    calls.element,
    h("div", { class: "hand" }, ticket.element, claim.element, failure, lead),
  );
  show();
  const close = () => {
    marked.abort();
    claim.close();
  };
  return { element, update: show, close };
}

function leadWords(room, missing) {
  const { active_players: count, beacon, latest_number: latest } = room.view;
  if (room.playing && beacon && latest === null) return t("play.beacon", { round: String(beacon.round) });
  if (room.playing) return count === 1 ? t("play.last") : t("play.inGame", { count });
  if (missing) return t("play.missing", { numbers: list(missing) });
  if (room.you.role === "player") return t("play.out");
  return t("play.watching", { count });
}
