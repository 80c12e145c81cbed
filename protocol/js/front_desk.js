/**
 * The front desk: what forms, and a seat in it. Fires `change` when a lobby did, `gone` with a
 * Refusal if the server does not let us in, and what else the server says (`payout`,
 * `announcement`) by its name, as a CustomEvent.
 */
export class FrontDesk extends EventTarget {
  /** @type {Map<string, import("./view.js").View> | null} by their ids */
  #lobbies = null;

  /** @param {import("./connection.js").Connection} connection */
  constructor(connection) {
    super();
    this.connection = connection;
    this.channel = connection.open("/lobbies");
    this.channel.addEventListener("refused", ({ detail }) =>
      this.dispatchEvent(new CustomEvent("gone", { detail })),
    );
    this.channel.onAny((name, message) => this.#receive(name, message));
  }

  /** Whether the first list has come. */
  get listed() {
    return this.#lobbies !== null;
  }

  /** @returns {import("./view.js").View[]} the forming lobbies, oldest first */
  get lobbies() {
    return [...(this.#lobbies?.values() ?? [])].sort((a, b) => a.created_at - b.created_at);
  }

  /** Resolves to the front desk when the list is there. Rejects with a Refusal. */
  async entered() {
    if (!this.listed) await this.channel.entering(this, "change");
    return this;
  }

  /**
   * Take a seat. Resolves to its lobby and to the invoice that is to be paid; rejects with a
   * Refusal.
   * @param {number} buyIn
   * @param {{clientSeed?: string}} options what the player brings to the draw
   */
  join(buyIn, { clientSeed = "" } = {}) {
    return this.channel.ask("join", { buy_in_amount: buyIn, client_seed: clientSeed });
  }

  close() {
    this.connection.close(this.channel);
  }

  #receive(name, message) {
    if (name === "lobbies") {
      this.#lobbies = new Map(message.lobbies.map((lobby) => [lobby.lobby_id, lobby]));
    } else if (name === "lobby_listed") {
      const { lobby } = message;
      if (lobby.status === "forming") this.#lobbies?.set(lobby.lobby_id, lobby);
      else this.#lobbies?.delete(lobby.lobby_id);
    } else {
      this.dispatchEvent(new CustomEvent(name, { detail: message }));
      return;
    }
    this.dispatchEvent(new Event("change"));
  }
}
