import { ROOM_EVENTS, fold } from "./view.js";

const REPLAY_MS = 1000;
const LOOK_AGAIN_MS = 4000;
/** What still may become of an invoice whose seat is gone. */
const OPEN_INVOICE = ["pending", "expired"];
const OWN_MATTERS = ["player_joined", "player_paid", "player_left", "player_kicked"];

/**
 * A lobby as this player sees it. Fires `change` after anything changed, `said` for each event (its
 * name and message in `detail`), and `gone` with a Refusal if the server does not let us in.
 */
export class Room extends EventTarget {
  /** @type {import("./view.js").View | null} */
  view = null;
  /** @type {{role: string, paid?: boolean, active?: boolean, numbers?: number[] | null,
   *   grid?: number[][] | null, invoice?: import("../line/host.js").Invoice | null}} */
  you = { role: "spectator" };
  /** The numbers heard, by their index: for the proof, not for the player. */
  heard = new Map();
  /** How many were called, or null while it is not known. */
  calls = null;
  /** The message that ended the game, if it came while we listened. */
  ending = null;
  #connectedAt = 0;
  #invoiceTimer = 0;

  /**
   * @param {import("../line/line.js").Line} line
   * @param {string} lobbyId
   * @param {string} me the player's id
   */
  constructor(line, lobbyId, me) {
    super();
    this.lobbyId = lobbyId;
    this.me = me;
    this.line = line;
    this.channel = line.open(`/${lobbyId}`, () => (this.view ? { last_seq: this.view.seq } : {}));
    this.channel.addEventListener("change", () => (this.#connectedAt = performance.now()));
    this.channel.addEventListener("refused", ({ detail }) =>
      this.dispatchEvent(new CustomEvent("gone", { detail })),
    );
    this.channel.on("lobby_state", (state) => this.#take(state));
    for (const name of ROOM_EVENTS) this.channel.on(name, (message) => this.#hear(name, message));
  }

  /** @returns {boolean} whether the player is in the game and may still win it */
  get playing() {
    return this.you.role === "player" && this.you.active === true;
  }

  async select(numbers) {
    this.#own({ numbers: (await this.channel.ask("select_numbers", { numbers })).numbers });
  }

  async arrange(grid) {
    const answer = await this.channel.ask("arrange_grid", { grid });
    this.#own({ grid: answer.grid, numbers: answer.grid.flat() });
  }

  /** @returns {Promise<object>} the answer, right or wrong */
  async claim() {
    const answer = await this.channel.ask("claim");
    if (answer.kicked) this.#own({ active: false });
    return answer;
  }

  leave() {
    return this.channel.ask("leave");
  }

  /** Ask for everything again: own matters, invoices above all, are in no event of the room. */
  async refresh() {
    this.#take((await this.channel.ask("sync")).state);
  }

  close() {
    clearTimeout(this.#invoiceTimer);
    this.line.close(this.channel);
  }

  #take({ you, at, ...view }) {
    this.line.clock.heard(at, false);
    if (this.view && view.seq < this.view.seq) return;
    this.you = you;
    this.view = view;
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

  #hear(name, message) {
    const isLive = performance.now() - this.#connectedAt > REPLAY_MS;
    this.line.clock.heard(message.at, isLive);
    if (!this.view || message.seq <= this.view.seq) return;
    this.view = fold(this.view, name, message);
    if (name === "number_called") {
      this.heard.set(message.index, message.number);
      this.calls = message.index;
    }
    if (name === "game_finished") this.ending = message;
    this.dispatchEvent(new CustomEvent("said", { detail: { name, message } }));
    this.#changed();
    if (OWN_MATTERS.includes(name) && message.alien_id === this.me) this.refresh().catch(() => {});
  }

  #own(changes) {
    this.you = { ...this.you, ...changes };
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
