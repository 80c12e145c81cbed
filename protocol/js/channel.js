import { NO_ANSWER, Refusal, UNREADABLE, isRefusal } from "./refusal.js";
import { Backoff, pause, within } from "./timing.js";

export const TOKEN_MS = 8000;
const ANSWER_MS = 15_000;
const MOST_LOGINS = 3;

/**
 * One namespace of the connection. Fires `change` when `connected` changes, `refused` (a
 * CustomEvent with a Refusal) when the server does not let us in and trying again is of no use.
 */
export class Channel extends EventTarget {
  connected = false;
  lost = false;
  #logins = 0;
  /** Why the server does not let us in for now. */
  #refusal = null;
  /** Why nothing comes any more. */
  #failure = null;
  #closed = false;
  #backoff = new Backoff();

  constructor(connection, namespace, auth) {
    super();
    this.connection = connection;
    this.socket = connection.manager.socket(namespace);
    this.socket.auth = (give) => {
      within(TOKEN_MS, connection.token()).then(
        (token) => give({ token: (this.token = token), ...auth() }),
        () => {
          this.socket.disconnect();
          this.#refused(NO_ANSWER);
        },
      );
    };
    this.socket.on("connect", () => {
      this.#logins = 0;
      this.#refusal = this.#failure = null;
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

  /** Call `listener` with the name and the message of each event. What it cannot read ends this. */
  onAny(listener) {
    this.socket.onAny((name, message) => {
      if (typeof message !== "object" || message === null) return;
      try {
        listener(name, message);
      } catch (cause) {
        this.socket.disconnect();
        this.#end(new Refusal(UNREADABLE, { cause }));
      }
    });
  }

  /** Something is missing of what the server has sent: come back, and it sends it again. */
  again() {
    if (this.connected) this.connection.renew();
  }

  /**
   * Resolves to the first thing that `event` of `target`, which listens to this channel, says;
   * rejects with a Refusal when the server does not let us in, or has not within a while.
   * @param {EventTarget} target
   * @param {string} event
   */
  async entering(target, event) {
    const controller = new AbortController();
    const once = { once: true, signal: controller.signal };
    const entered = new Promise((resolve, reject) => {
      target.addEventListener(event, resolve, once);
      this.addEventListener("refused", ({ detail }) => reject(detail), once);
    });
    try {
      await within(ANSWER_MS, entered);
    } catch (error) {
      throw error instanceof Refusal ? error : new Refusal(this.#refusal ?? NO_ANSWER);
    } finally {
      controller.abort();
    }
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
      if (this.#closed) throw new Refusal({ code: "closed", message: "this was closed" });
      if (this.#failure) throw this.#failure;
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
      const answer = await this.socket.timeout(ms).emitWithAck(command, payload);
      return answer?.ok === true || isRefusal(answer?.error) ? answer : { ok: false, error: UNREADABLE };
    } catch {
      return { ok: false, error: NO_ANSWER };
    }
  }

  /** Whether the server answers in so many ms: to the token that it has already. */
  answers(ms) {
    const { token } = this;
    const answer = this.socket.timeout(ms).emitWithAck("refresh_token", { token });
    return answer.then(
      () => true,
      () => false,
    );
  }

  close() {
    this.#closed = true;
    this.socket.off();
    this.socket.offAny();
    this.socket.disconnect();
  }

  #turn(connected, lost = !connected) {
    this.connected = connected;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }

  #refused(error) {
    if (!isRefusal(error)) {
      this.#turn(false);
      if (!this.socket.active) this.#again(); // else there is no connection: that comes by itself
      return;
    }
    this.#refusal = error;
    const isLogin =
      this.connection.renews && ["unauthorized", "token_expired"].includes(error.code);
    const comesBack = error.retry || (isLogin && ++this.#logins < MOST_LOGINS);
    if (!comesBack) return this.#end(new Refusal(error));
    this.#turn(false);
    this.#again();
  }

  #end(failure) {
    this.#failure = failure;
    this.#turn(false, false);
    this.dispatchEvent(new CustomEvent("refused", { detail: failure }));
  }

  #again() {
    const connect = () => this.#closed || this.socket.active || this.socket.connect();
    setTimeout(connect, this.#backoff.next());
  }
}
