import { EventQueue } from "./event_queue.js";
import { fold } from "./view.js";

const REPLAY_MS = 1000;
const LOOK_AGAIN_MS = 4000;
/** What still may become of an invoice whose seat is gone. */
const OPEN_INVOICE = ["pending", "expired"];
/** What one's own seat may be after these, no event contains. */
const OWN_MATTERS = [
  "player_joined",
  "player_paid",
  "player_ready",
  "player_left",
  "player_kicked",
  "status_changed",
];

/**
 * A lobby as this player sees it. Fires `change` after anything changed, `event` for each event (its
 * name and message in `detail`), `announcement`, `gone` with a Refusal if the server does not let us
 * in, and `ended` with one if it no longer keeps the lobby that we were in.
 *
 * To iterate over it gives each event once and in order, from the state that it was entered in to
 * the end of the game or until it is closed, through any number of broken connections.
 */
export class Room extends EventTarget {
  /** @type {import("./view.js").View | null} */
  view = null;
  /** @type {{role: string, paid?: boolean, active?: boolean, numbers?: number[] | null,
   *   grid?: number[][] | null, invoice?: object | null}} */
  you = { role: "spectator" };
  /** The numbers received, by their index: for the proof, not for the player. */
  heard = new Map();
  /** How many were called, or null while it is not known. */
  calls = null;
  /** From one call to the next, as far as the calls have shown it. */
  callIntervalMs = null;
  /** The message that ended the game, if it came while we listened. */
  ending = null;
  #connectedAt = 0;
  /** When the first call that was received came, and its index. */
  #firstCall = null;
  #invoiceTimer = 0;
  #refreshing = null;
  #closing = new AbortController();
  /** The grid that was sent to be arranged and is not answered yet. */
  #arranging = null;
  #queue = new EventQueue();

  /**
   * @param {import("./connection.js").Connection} connection
   * @param {string} lobbyId
   * @param {string | undefined} me the player's id
   */
  constructor(connection, lobbyId, me) {
    super();
    this.lobbyId = lobbyId;
    this.me = me;
    this.connection = connection;
    this.channel = connection.open(`/${lobbyId}`, () => (this.view ? { last_seq: this.view.seq } : {}));
    this.channel.addEventListener("change", () => this.#connectionChanged());
    this.channel.addEventListener("refused", ({ detail }) => this.#refused(detail));
    this.channel.onAny((name, message) => {
      if (name === "lobby_state") this.#take(message);
      else if (Number.isInteger(message.seq)) this.#receive(name, message, this.#isLive);
      else this.dispatchEvent(new CustomEvent(name, { detail: message }));
    });
    const { signal } = this.#closing;
    const comeBack = () => this.#comeBack();
    globalThis.document?.addEventListener("visibilitychange", comeBack, { signal });
  }

  /** Resolves to the room when its state is known. Rejects with a Refusal, and the room is closed. */
  async entered() {
    if (this.view !== null) return this;
    try {
      await this.channel.entering(this, "change");
    } catch (refusal) {
      this.close();
      throw refusal;
    }
    return this;
  }

  [Symbol.asyncIterator]() {
    return this.#queue[Symbol.asyncIterator]();
  }

  get isOpen() {
    return !this.#closing.signal.aborted;
  }

  /** @returns {boolean} whether the player is in the game and may still win it */
  get playing() {
    return this.you.role === "player" && this.you.active === true;
  }

  /** Choose the numbers of the ticket. Resolves to those that are held now. */
  async selectNumbers(numbers) {
    const answer = await this.#ask("select_numbers", { numbers });
    this.#own({ numbers: answer.numbers });
    return answer.numbers;
  }

  /** Arrange the ticket, as rows. Resolves to the grid that is held now. */
  async arrangeGrid(grid) {
    this.#arranging = grid;
    try {
      const answer = await this.#ask("arrange_grid", { grid });
      this.#holds(answer.grid);
      return answer.grid;
    } finally {
      this.#arranging = null;
    }
  }

  /** Say that a pattern is complete. Resolves to the answer, right or wrong. */
  async claim() {
    const answer = await this.#ask("claim");
    if (answer.kicked) this.#own({ active: false });
    return answer;
  }

  /** Give the seat up. */
  async leave() {
    await this.#ask("leave");
  }

  /** Ask for one's own part: it is in no event of the room, and may change in another tab, or by a
   * command whose answer was lost. Rejects with a Refusal. */
  refresh() {
    this.#refreshing ??= this.#sync().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  close() {
    clearTimeout(this.#invoiceTimer);
    this.#closing.abort();
    this.#queue.end();
    this.connection.close(this.channel);
  }

  async #sync() {
    const asked = this.view?.seq ?? 0;
    const { state, events, you } = await this.channel.ask("sync", { last_seq: asked });
    const isOvertaken = state && asked <= state.seq && state.seq < this.view.seq;
    if (isOvertaken) return this.#ownIs(state.you); // events came before this answer
    if (state) return this.#take(state);
    for (const { event, ...message } of events) this.#receive(event, message, false);
    if (you) this.#ownIs(you);
    else this.#take((await this.channel.ask("sync")).state); // of a server of the version before
  }

  /** Do as the player says. Whatever the server refuses, this page has not known: ask. */
  async #ask(command, payload) {
    try {
      return await this.channel.ask(command, payload);
    } catch (refusal) {
      if (!refusal.retry) this.#refreshSoon();
      throw refusal;
    }
  }

  #refreshSoon() {
    this.refresh().catch(() => {}); // at the latest the next connection asks again
  }

  #connectionChanged() {
    this.#connectedAt = performance.now();
    this.#comeBack();
  }

  /** The connection is back, or the player: perhaps from another tab. */
  #comeBack() {
    if (this.channel.connected && !globalThis.document?.hidden && this.#mayHold) this.#refreshSoon();
  }

  #refused(detail) {
    if (this.view?.status === "finished") return; // how it ended is shown, and stays
    this.#queue.fail(detail);
    const name = this.view && detail.code === "unknown_lobby" ? "ended" : "gone";
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Whether there may be anything of one's own here. */
  get #mayHold() {
    return this.view !== null && (this.you.role === "player" || this.you.invoice != null);
  }

  #take(state) {
    const { you, at, ...view } = state;
    if (!isView(view) || typeof you?.role !== "string") throw new TypeError("this is no lobby_state");
    this.connection.clock.observe(at, false);
    // The same state again is about one's own part of it only.
    const isNews = view.seq !== this.view?.seq;
    this.view = view;
    if (isNews) this.#emit("lobby_state", state);
    this.#ownIs(you);
  }

  #ownIs(you) {
    this.you = you;
    this.#changed();
    this.#followInvoice();
  }

  /** A payment that comes after its seat is gone is in no event of the room. */
  #followInvoice() {
    clearTimeout(this.#invoiceTimer);
    if (this.you.role === "player" || !OPEN_INVOICE.includes(this.you.invoice?.status)) return;
    const lookAgain = () => this.refresh().catch(() => this.#followInvoice());
    this.#invoiceTimer = setTimeout(lookAgain, LOOK_AGAIN_MS);
  }

  /** Whether what comes now comes as soon as it was stored. */
  get #isLive() {
    return performance.now() - this.#connectedAt > REPLAY_MS;
  }

  #receive(name, message, isLive) {
    this.connection.clock.observe(message.at, isLive);
    if (!this.view || message.seq <= this.view.seq) return;
    if (message.seq > this.view.seq + 1) return this.channel.again();
    this.view = fold(this.view, name, message);
    if (name === "number_called") {
      this.heard.set(message.index, message.number);
      this.calls = message.index;
      this.#timeCall(message);
    }
    if (name === "game_finished") this.ending = message;
    const isMine = message.alien_id === this.me;
    // The last one to arrange receives the start before the answer: the ticket is held already.
    const isAnswered = name === "player_ready" && isMine && this.#arranging !== null;
    if (isAnswered) this.you = holding(this.you, this.#arranging);
    this.#emit(name, message);
    this.dispatchEvent(new CustomEvent("event", { detail: { name, message } }));
    this.#changed();
    const mayBeMine = isMine || (message.alien_id === undefined && this.#mayHold);
    if (OWN_MATTERS.includes(name) && mayBeMine && !isAnswered) this.#refreshSoon();
  }

  /** The calls come at equal times after the start, or after the first where a beacon delayed it. */
  #timeCall({ at, index }) {
    const [from, calls] = this.view.beacon ? (this.#firstCall ?? []) : [this.view.started_at, 0];
    if (from !== undefined) this.callIntervalMs = (at - from) / (index - calls);
    else this.#firstCall = [at, index];
  }

  /** Put an event into the queue of those who iterate; after the end of the game nothing comes. */
  #emit(name, message) {
    this.#queue.push({ event: name, ...message });
    if (this.view.status === "finished") this.#queue.end();
  }

  #holds(grid) {
    this.you = holding(this.you, grid);
    this.#changed();
  }

  #own(changes) {
    this.you = { ...this.you, ...changes };
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Whether a server has sent what every lobby has, of whatever version. */
const isView = ({ seq, status, players }) =>
  Number.isInteger(seq) && typeof status === "string" && Array.isArray(players);

const holding = (you, grid) => ({ ...you, grid, numbers: grid.flat() });
