import { QUICKNET_KEY } from "../package/beacon.js";
import { alienHost, devHost } from "../connection/host.js";
import { inWords } from "../connection/refusal.js";
import { Connection } from "../package/connection.js";
import { FrontDesk } from "../package/front_desk.js";
import { NO_ANSWER, Refusal } from "../package/refusal.js";
import { within } from "../package/timing.js";
import { readToken } from "../package/token.js";
import { h } from "../parts/dom.js";
import { showConnection } from "../parts/connection_banner.js";
import { showNotice } from "../parts/notice.js";
import { introduced } from "../parts/introduction.js";
import { showLanguages } from "../parts/languages.js";
import { beReadyForOffline } from "../parts/offline.js";
import { showPlayer } from "../parts/player.js";
import { Signals } from "../parts/signals.js";
import { frontDeskScreen } from "../screens/front_desk.js";
import { lobbyScreen } from "../screens/lobby.js";
import { messageScreen } from "../screens/message.js";
import { GameNotes } from "./notes.js";
import { SafeStorage } from "./storage.js";
import { t } from "../words/index.js";

const TOKEN_MS = 8000;
const ANSWER_MS = 15_000;
const SEED_BYTES = 16;
const LOBBY_PLACE = /^#(lobby_[\w-]+)$/;
const ACCOUNT_PLACE = "#account";
const INKS = 4;
const CLASSIC = { variant: "classic", side: 3, highest: 50, min_players: 2, max_players: 10 };

/**
 * @typedef {{buy_in_amount: number} & import("../package/view.js").Rules} Tier what is offered to newcomers
 */

/** The page as a whole: what every screen needs, and which of them is shown. */
export class Game {
  #screen = null;
  #news = "";

  /**
   * @param {{tiers: Tier[], dev_login: boolean, books: boolean,
   *   beacon_keys: Record<string, string>}} config
   */
  constructor({ tiers, dev_login, books, beacon_keys }) {
    this.hasBooks = books;
    this.beaconKeys = { ...QUICKNET_KEY, ...beacon_keys };
    this.storage = new SafeStorage();
    this.signals = new Signals(this.storage);
    this.tiers = tiers;
    this.host = dev_login ? devHost(this.storage) : alienHost();
    this.connection = new Connection({ url: location.origin, token: () => this.host.token() });
    this.clock = this.connection.clock;
  }

  async start() {
    this.clock.ask().catch(() => {}); // the messages will do
    document.querySelector(".front-desk").prepend(h("h1", {}, t("page.motto")));
    document.getElementById("connection").textContent = t("connection.banner");
    showLanguages();
    beReadyForOffline();
    const coming = this.host.token();
    this.#signIn(await within(TOKEN_MS, coming).catch(() => ""));
    if (!this.me) coming.then((late) => late && this.#signIn(late)).catch(() => {});
  }

  #signIn(token) {
    const player = readToken(token);
    if (!player) return this.#show(messageScreen(t("page.noSignIn"), t("refusal.unauthorized")));
    this.me = player.sub;
    this.notes = new GameNotes(this.storage, this.me);
    showPlayer(this.me, this.host.rename);
    showConnection(this.connection);
    addEventListener("hashchange", () => this.#go());
    this.#go();
  }

  /**
   * What a lobby plays by. It says so itself, unless its server is of the version before.
   * @param {import("../package/view.js").View} view
   * @returns {import("../package/view.js").Rules}
   */
  rulesOf(view) {
    const offered = this.tiers.find((tier) => tier.buy_in_amount === view.buy_in_amount);
    return view.rules ?? offered ?? CLASSIC;
  }

  /** The number of the ink that a tier is printed in. */
  inkOf(buyIn) {
    const index = this.tiers.findIndex((tier) => tier.buy_in_amount === buyIn);
    return (index < 0 ? buyIn : index) % INKS;
  }

  /**
   * Take a seat at the table of this price, and go there. Rejects with a Refusal.
   * @param {number} buyIn
   */
  async take(buyIn) {
    const frontDesk = new FrontDesk(this.connection);
    try {
      await this.takeAt(frontDesk, buyIn);
    } finally {
      frontDesk.close();
    }
  }

  /** The same at a front desk that is open already. */
  async takeAt(frontDesk, buyIn) {
    const seed = newSeed();
    const { lobby } = await frontDesk.join(buyIn, { clientSeed: seed });
    introduced(this.storage);
    const { seeds, seedHash } = this.notes.of(lobby.lobby_id);
    this.notes.note(lobby.lobby_id, {
      seeds: [...seeds, seed],
      seedHash: seedHash ?? lobby.server_seed_hash,
    });
    location.hash = lobby.lobby_id;
  }

  /**
   * Take a seat in this very lobby, while it forms and has room. Rejects with a Refusal.
   * @param {string} lobbyId
   * @param {number} buyIn
   */
  async takeIn(lobbyId, buyIn) {
    const token = await within(TOKEN_MS, this.host.token());
    const answer = await fetch("/api/invoices", {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ buy_in_amount: buyIn, lobby_id: lobbyId }),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch(() => null);
    if (!answer?.ok) throw new Refusal((await answer?.json().catch(() => null)) ?? NO_ANSWER);
  }

  /** Go to the front desk; `news` is what to say there. */
  home(news = "") {
    this.#news = news;
    location.hash = "";
  }

  #go() {
    const lobbyId = LOBBY_PLACE.exec(location.hash)?.[1];
    const news = this.#news;
    this.#news = "";
    if (location.hash === ACCOUNT_PLACE) this.#showAccount();
    else this.#show(lobbyId ? lobbyScreen(this, lobbyId) : frontDeskScreen(this, news));
  }

  /** Seldom asked for, so it is loaded then. */
  async #showAccount() {
    const { accountScreen } = await import("../account/screen.js");
    if (location.hash === ACCOUNT_PLACE) this.#show(accountScreen(this));
  }

  #show(screen) {
    this.#screen?.close?.();
    this.#screen = screen;
    document.getElementById("screen").replaceChildren(screen.element);
    screen.emitter?.addEventListener("gone", ({ detail }) =>
      this.#show(messageScreen(t("page.noEntry"), inWords(detail))),
    );
    screen.emitter?.addEventListener("announcement", ({ detail }) => showNotice(detail));
    screen.emitter?.addEventListener("ended", () => this.home(t("page.ended")));
  }
}

/** What the player brings to the draw. */
const newSeed = () =>
  [...crypto.getRandomValues(new Uint8Array(SEED_BYTES))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
