import { Channel, TOKEN_MS } from "./channel.js";
import { ServerClock } from "./clock.js";
import { Manager } from "./socket.js";
import { Backoff, within } from "./timing.js";
import { readToken } from "./token.js";

const MOST_WAIT_MS = 60_000;
const PROBE_MS = 5000;
const REFRESH_AHEAD_MS = 60_000;
/** Longer than that, no timer of a browser waits. */
const MOST_REFRESH_MS = 24 * 3_600_000;

/**
 * The connection to the server, shared by all namespaces.
 *
 * Fires `change` when `lost` may have changed: whether something that was open is not.
 */
export class Connection extends EventTarget {
  /** @type {Set<Channel>} */
  #channels = new Set();
  #closing = new AbortController();
  #refreshTimer = 0;
  #backoff = new Backoff();
  #comeBackTimer = null;
  #retryAfterMs = null;

  /**
   * @param {{url: string, token: string | (() => string | Promise<string>)}} options of a function,
   *   a new token is asked whenever one is needed
   */
  constructor({ url, token }) {
    super();
    const { origin } = new URL(url);
    /** Whether there may be another token than the first. */
    this.renews = typeof token === "function";
    /** A token that is valid now, as far as is known. */
    this.token = async () => (this.renews ? token() : token);
    this.clock = new ServerClock(origin);
    this.manager = new Manager(origin, {
      autoConnect: false,
      transports: ["websocket"],
      reconnection: false, // its first attempts all come at nearly the same time: see #comeBack
    });
    this.manager.on("error", () => this.#comeBack());
    this.manager.on("close", (reason) => reason === "forced close" || this.#comeBack());
    const { signal } = this.#closing;
    const hurry = () => {
      if (globalThis.document?.hidden) return;
      this.#hurry();
      this.#probe();
    };
    // In a browser; elsewhere there is neither.
    globalThis.addEventListener?.("online", hurry, { signal });
    globalThis.document?.addEventListener("visibilitychange", hurry, { signal });
  }

  get lost() {
    return [...this.#channels].some((channel) => channel.lost);
  }

  /**
   * Join a namespace, and join it again whenever the connection comes back.
   * @param {string} namespace
   * @param {() => object} auth what goes with the token each time
   * @returns {Channel}
   */
  open(namespace, auth = () => ({})) {
    const channel = new Channel(this, namespace, auth);
    this.#channels.add(channel);
    channel.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    return channel;
  }

  /** @param {Channel} channel */
  close(channel) {
    this.#channels.delete(channel);
    channel.close();
    this.dispatchEvent(new Event("change"));
  }

  /** Leave all namespaces, for good. */
  end() {
    this.#closing.abort();
    for (const channel of this.#channels) this.close(channel);
    clearTimeout(this.#refreshTimer);
    clearTimeout(this.#comeBackTimer);
  }

  /** The server goes away, and has said when to be back. */
  draining({ retry_after_ms: ms }) {
    if (ms >= 0) this.#retryAfterMs = Math.min(ms, MOST_WAIT_MS);
  }

  /** A channel is connected with this token. */
  isUp(token) {
    this.#backoff.reset();
    this.#retryAfterMs = null;
    this.clock.ask().catch(() => {}); // the messages will do
    this.#keepLoggedIn(token);
  }

  /** The connection has ended, or could not be made: make it again, after a while. */
  #comeBack() {
    if (this.#comeBackTimer !== null) return;
    const waitMs = this.#retryAfterMs ?? this.#backoff.next();
    this.#retryAfterMs = null;
    this.#comeBackTimer = setTimeout(() => this.#reopen(), waitMs);
  }

  #reopen() {
    clearTimeout(this.#comeBackTimer);
    this.#comeBackTimer = null;
    if (this.#channels.size > 0) this.manager.open();
  }

  /** The network is back, or the player: do not wait for the next attempt. */
  #hurry() {
    const waiting = [...this.#channels].filter((channel) => !channel.connected);
    waiting.forEach((channel) => channel.socket.disconnect());
    waiting.forEach((channel) => channel.socket.connect());
  }

  /** What seems to be a connection may have gone without a word while the device slept. */
  async #probe() {
    const { engine } = this.manager;
    const channel = [...this.#channels].find(({ connected }) => connected);
    if (!channel || (await channel.answers(PROBE_MS))) return;
    if (!channel.connected || this.manager.engine !== engine) return; // it is another one by now
    this.renew();
  }

  /** Make another connection in place of this one, which is not what it seems. */
  renew() {
    this.manager.engine.close();
    this.#comeBack();
  }

  /** A connection does not outlive its token: the next one is handed in ahead of time. */
  #keepLoggedIn(token) {
    clearTimeout(this.#refreshTimer);
    if (!this.renews || this.#closing.signal.aborted) return;
    const expiresMs = Number(readToken(token)?.exp) * 1000 || 0;
    const waitMs = Math.max(expiresMs - this.clock.now() - REFRESH_AHEAD_MS, REFRESH_AHEAD_MS / 2);
    this.#refreshTimer = setTimeout(() => this.#refresh(token), Math.min(waitMs, MOST_REFRESH_MS));
  }

  async #refresh(token) {
    const [channel] = this.#channels;
    try {
      const next = await within(TOKEN_MS, this.token());
      if (channel && next !== token) await channel.ask("refresh_token", { token: next });
      this.#keepLoggedIn(next);
    } catch {
      this.#keepLoggedIn(token); // tried again; at the worst we are sent away and come back
    }
  }
}
