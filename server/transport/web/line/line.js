import { Manager } from "../vendor/socket.io.esm.min.js";
import { readToken } from "./host.js";
import { Refusal } from "./words.js";

const ANSWER_MS = 8000;
const RETRY_MS = 1000;
const REFRESH_AHEAD_MS = 60_000;
const MOST_LOGINS = 3;

/**
 * The connection to the server, shared by all namespaces.
 *
 * Fires `change` when `lost` may have changed: whether something that was open is not.
 */
export class Line extends EventTarget {
  /** @type {Set<Channel>} */
  #channels = new Set();
  #refreshTimer = 0;

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
      reconnectionDelay: 250,
      reconnectionDelayMax: 3000,
    });
    addEventListener("online", () => this.#channels.forEach((channel) => channel.hurry()));
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

  /** A connection does not outlive its token: the next one is handed in ahead of time. */
  keepLoggedIn(token) {
    clearTimeout(this.#refreshTimer);
    const expiresMs = (readToken(token)?.exp ?? 0) * 1000;
    const waitMs = Math.max(expiresMs - this.clock.now() - REFRESH_AHEAD_MS, REFRESH_AHEAD_MS / 2);
    this.#refreshTimer = setTimeout(() => this.#refresh(token), waitMs);
  }

  async #refresh(token) {
    const [channel] = this.#channels;
    try {
      const next = await this.host.token();
      if (channel && next !== token) await channel.ask("refresh_token", { token: next });
      this.keepLoggedIn(next);
    } catch {
      this.keepLoggedIn(token); // tried again; at the worst we are sent away and come back
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

  constructor(line, namespace, auth) {
    super();
    this.socket = line.manager.socket(namespace);
    this.socket.auth = (give) => {
      line.host.token().then(
        (token) => give({ token: (this.token = token), ...auth() }),
        () => give({}),
      );
    };
    this.socket.on("connect", () => {
      this.#logins = 0;
      this.#turn(true);
      line.keepLoggedIn(this.token);
    });
    this.socket.on("disconnect", (reason) => {
      this.#turn(false);
      if (reason === "io server disconnect") this.#again();
    });
    this.socket.on("connect_error", (error) => this.#refused(error.data));
    this.socket.connect();
  }

  /** Call `listener` with the message of each event of this name. */
  on(event, listener) {
    this.socket.on(event, listener);
  }

  /**
   * Send a command. Resolves to its answer; rejects with a Refusal.
   * @param {string} command
   * @param {object} payload
   */
  async ask(command, payload = {}) {
    let answer;
    try {
      answer = await this.socket.timeout(ANSWER_MS).emitWithAck(command, payload);
    } catch {
      throw new Refusal({ code: "no_answer", retry: true });
    }
    if (!answer.ok) throw new Refusal(answer.error);
    return answer;
  }

  /** The network is back: do not wait for the next attempt. */
  hurry() {
    if (!this.connected && !this.#closed) this.socket.disconnect().connect();
  }

  close() {
    this.#closed = true;
    this.socket.off();
    this.socket.disconnect();
  }

  #turn(connected) {
    this.connected = connected;
    this.lost = !connected;
    this.dispatchEvent(new Event("change"));
  }

  #refused(error) {
    if (!error) return this.#turn(false); // no connection: the manager tries again by itself
    const isLogin = ["unauthorized", "token_expired"].includes(error.code);
    if (error.retry || (isLogin && ++this.#logins < MOST_LOGINS)) this.#again();
    else this.dispatchEvent(new CustomEvent("refused", { detail: new Refusal(error) }));
  }

  #again() {
    setTimeout(() => this.#closed || this.socket.connect(), RETRY_MS);
  }
}
