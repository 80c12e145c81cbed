import { ROOM_EVENTS, fold } from "./view.js";

const REPLAY_MS = 1000;
const LOOK_AGAIN_MS = 4000;
/** What still may become of an invoice whose seat is gone. */
const GONE_ALREADY = ["not_seated", "not_active"];
const OPEN_INVOICE = ["pending", "expired"];
/** What one's own seat may be after these, no event tells. */
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
 * name and message in `detail`), `gone` with a Refusal if the server does not let us in, and
 * `ended` with one if it no longer keeps the lobby that we were in.
 */
export class Room extends EventTarget {
  /** @type {import("./view.js").View | null} */
  view = null;
  /** @type {{role: string, paid?: boolean, active?: boolean, numbers?: number[] | null,
   *   grid?: number[][] | null, invoice?: import("../connection/host.js").Invoice | null}} */
  you = { role: "spectator" };
  /** The numbers heard, by their index: for the proof, not for the player. */
  heard = new Map();
  /** How many were called, or null while it is not known. */
  calls = null;
  /** From one call to the next, as far as the calls have shown it. */
  callIntervalMs = null;
  /** The message that ended the game, if it came while we listened. */
  ending = null;
  #connectedAt = 0;
  #invoiceTimer = 0;
  #refreshing = null;
  #closing = new AbortController();
  /** The grid that was sent to be arranged and is not answered yet. */
  #arranging = null;

  /**
   * @param {import("../connection/connection.js").Connection} connection
   * @param {string} lobbyId
   * @param {string} me the player's id
   */
  constructor(connection, lobbyId, me) {
    super();
    this.lobbyId = lobbyId;
    this.me = me;
    this.connection = connection;
    this.channel = connection.open(`/${lobbyId}`, () => (this.view ? { last_seq: this.view.seq } : {}));
    this.channel.addEventListener("change", () => this.#connectionChanged());
    this.channel.addEventListener("refused", ({ detail }) => this.#refused(detail));
    this.channel.on("lobby_state", (state) => this.#take(state));
    for (const name of ROOM_EVENTS)
      this.channel.on(name, (message) => this.#hear(name, message, this.#isLive));
    const { signal } = this.#closing;
    document.addEventListener("visibilitychange", () => this.#comeBack(), { signal });
  }

  /** @returns {boolean} whether the player is in the game and may still win it */
  get playing() {
    return this.you.role === "player" && this.you.active === true;
  }

  async select(numbers) {
    this.#own({ numbers: (await this.#ask("select_numbers", { numbers })).numbers });
  }

  async arrange(grid) {
    this.#arranging = grid;
    try {
      this.#holds((await this.#ask("arrange_grid", { grid })).grid);
    } finally {
      this.#arranging = null;
    }
  }

  /** @returns {Promise<object>} the answer, right or wrong */
  async claim() {
    const answer = await this.#ask("claim");
    if (answer.kicked) this.#own({ active: false });
    return answer;
  }

  async leave() {
    try {
      await this.#ask("leave");
    } catch (refusal) {
      if (!GONE_ALREADY.includes(refusal.code)) throw refusal;
    }
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
    this.connection.close(this.channel);
  }

  async #sync() {
    const { state, events, you } = await this.channel.ask("sync", { last_seq: this.view?.seq });
    if (state) return this.#take(state);
    for (const { event, ...message } of events) this.#hear(event, message, false);
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
    if (this.channel.connected && !document.hidden && this.#mayHold) this.#refreshSoon();
  }

  #refused(detail) {
    if (this.view?.status === "finished") return; // how it ended is shown, and stays
    const name = this.view && detail.code === "unknown_lobby" ? "ended" : "gone";
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** Whether there may be anything of one's own here. */
  get #mayHold() {
    return this.view !== null && (this.you.role === "player" || this.you.invoice != null);
  }

  #take({ you, at, ...view }) {
    this.connection.clock.heard(at, false);
    this.view = view;
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

  #hear(name, message, isLive) {
    this.connection.clock.heard(message.at, isLive);
    if (!this.view || message.seq <= this.view.seq) return;
    this.view = fold(this.view, name, message);
    if (name === "number_called") {
      this.heard.set(message.index, message.number);
      this.calls = message.index;
      this.callIntervalMs = (message.at - this.view.started_at) / message.index;
    }
    if (name === "game_finished") this.ending = message;
    const isMine = message.alien_id === this.me;
    // The last one to arrange hears of the start before the answer: the ticket is held already.
    const isAnswered = name === "player_ready" && isMine && this.#arranging !== null;
    if (isAnswered) this.you = holding(this.you, this.#arranging);
    this.dispatchEvent(new CustomEvent("event", { detail: { name, message } }));
    this.#changed();
    const mayBeMine = isMine || (message.alien_id === undefined && this.#mayHold);
    if (OWN_MATTERS.includes(name) && mayBeMine && !isAnswered) this.#refreshSoon();
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

const holding = (you, grid) => ({ ...you, grid, numbers: grid.flat() });
