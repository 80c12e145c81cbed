import { Manager } from "../vendor/socket.io.esm.min.js";
import { readToken } from "./host.js";
import { Backoff, pause, within } from "./timing.js";
import { Refusal } from "./refusal.js";

const ANSWER_MS = 15_000;
const TOKEN_MS = 8000;
const MOST_WAIT_MS = 60_000;
const REFRESH_AHEAD_MS = 60_000;
const MOST_LOGINS = 3;

/**
 * The connection to the server, shared by all namespaces.
 *
 * Fires `change` when `lost` may have changed: whether something that was open is not.
 */
export class Connection extends EventTarget {
  /** @type {Set<Channel>} */
  #channels = new Set();
  #refreshTimer = 0;
  #backoff = new Backoff();
  #comeBackTimer = null;
  #retryAfterMs = null;

  /**
   * @param {import("./host.js").Host} host
   * @param {import("./clock.js").ServerClock} clock
   */
  constructor(host, clock) {
    super();
    this.host = host;
    this.clock = clock;
    this.manager = new Manager(location.origin, {
      autoConnect: false,
      transports: ["websocket"],
      reconnection: false, // its first attempts all come at nearly the same time: see #comeBack
    });
    this.manager.on("error", () => this.#comeBack());
    this.manager.on("close", (reason) => reason === "forced close" || this.#comeBack());
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
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

  /** The server goes away, and has said when to be back. */
  draining({ retry_after_ms: ms }) {
    if (ms >= 0) this.#retryAfterMs = Math.min(ms, MOST_WAIT_MS);
  }

  /** A channel is connected with this token. */
  isUp(token) {
    this.#backoff.reset();
    this.#retryAfterMs = null;
    this.clock.ask().catch(() => {}); // the messages will tell
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

  /** A connection does not outlive its token: the next one is handed in ahead of time. */
  #keepLoggedIn(token) {
    clearTimeout(this.#refreshTimer);
    const expiresMs = (readToken(token)?.exp ?? 0) * 1000;
    const waitMs = Math.max(expiresMs - this.clock.now() - REFRESH_AHEAD_MS, REFRESH_AHEAD_MS / 2);
    this.#refreshTimer = setTimeout(() => this.#refresh(token), waitMs);
  }

  async #refresh(token) {
    const [channel] = this.#channels;
    try {
      const next = await within(TOKEN_MS, this.host.token());
      if (channel && next !== token) await channel.ask("refresh_token", { token: next });
      this.#keepLoggedIn(next);
    } catch {
      this.#keepLoggedIn(token); // tried again; at the worst we are sent away and come back
    }
  }
}

/**
 * One namespace of the connection. Fires `change` when `connected` changes, `refused` (a
 * CustomEvent with a Refusal) when the server does not let us in and trying again is of no use.
 */
export class Channel extends EventTarget {
  connected = false;
  lost = false;
  #logins = 0;
  #closed = false;
  #backoff = new Backoff();

  constructor(connection, namespace, auth) {
    super();
    this.socket = connection.manager.socket(namespace);
    this.socket.auth = (give) => {
      within(TOKEN_MS, connection.host.token()).then(
        (token) => give({ token: (this.token = token), ...auth() }),
        () => {
          this.socket.disconnect();
          this.#refused({ code: "no_answer", retry: true });
        },
      );
    };
    this.socket.on("connect", () => {
      this.#logins = 0;
      this.#backoff.reset();
      connection.isUp(this.token);
      this.#turn(true);
    });
    this.socket.on("disconnect", (reason) => {
      this.#turn(false);
      if (reason === "io server disconnect") this.#again();
    });
    this.socket.on("connect_error", (error) => this.#refused(error.data));
    this.socket.on("draining", (message) => connection.draining(message));
    this.socket.connect();
  }

  /** Call `listener` with the message of each event of this name. */
  on(event, listener) {
    this.socket.on(event, listener);
  }

  /**
   * Send a command. Resolves to its answer; rejects with a Refusal. What the server cannot answer
   * now is asked again for a while, and so is what was under way when the connection broke: no
   * command does more the second time.
   * @param {string} command
   * @param {object} payload
   */
  async ask(command, payload = {}) {
    const untilMs = performance.now() + ANSWER_MS;
    const backoff = new Backoff();
    for (;;) {
      const answer = await this.#askOnce(command, payload, untilMs - performance.now());
      if (answer.ok) return answer;
      const waitMs = backoff.next();
      if (!answer.error.retry || this.#closed || performance.now() + waitMs > untilMs)
        throw new Refusal(answer.error);
      await pause(waitMs);
    }
  }

  async #askOnce(command, payload, ms) {
    try {
      return await this.socket.timeout(ms).emitWithAck(command, payload);
    } catch {
      return { ok: false, error: { code: "no_answer", retry: true } };
    }
  }

  close() {
    this.#closed = true;
    this.socket.off();
    this.socket.disconnect();
  }

  #turn(connected, lost = !connected) {
    this.connected = connected;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }

  #refused(error) {
    if (!error) return this.#turn(false); // no connection: that is made again by itself
    const isLogin = ["unauthorized", "token_expired"].includes(error.code);
    const comesBack = error.retry || (isLogin && ++this.#logins < MOST_LOGINS);
    this.#turn(false, comesBack);
    if (comesBack) this.#again();
    else this.dispatchEvent(new CustomEvent("refused", { detail: new Refusal(error) }));
  }

  #again() {
    const connect = () => this.#closed || this.socket.active || this.socket.connect();
    setTimeout(connect, this.#backoff.next());
  }
}
