/**
 * The front desk: what forms, and a seat in it. Fires `change` when a lobby did.
 */
export class FrontDesk extends EventTarget {
  /**
   * The forming lobbies by their ids; null before the first list.
   * @type {Map<string, import("./view.js").View> | null}
   */
  lobbies = null;

  /** @param {import("../connection/connection.js").Connection} connection */
  constructor(connection) {
    super();
    this.connection = connection;
    this.channel = connection.open("/lobbies");
    this.channel.addEventListener("refused", ({ detail }) =>
      this.dispatchEvent(new CustomEvent("gone", { detail })),
    );
    this.channel.on("lobbies", ({ lobbies }) => {
      this.lobbies = new Map(lobbies.map((lobby) => [lobby.lobby_id, lobby]));
      this.dispatchEvent(new Event("change"));
    });
    this.channel.on("lobby_listed", ({ lobby }) => {
      if (lobby.status === "forming") this.lobbies?.set(lobby.lobby_id, lobby);
      else this.lobbies?.delete(lobby.lobby_id);
      this.dispatchEvent(new Event("change"));
    });
  }

  /**
   * The forming lobbies that a newcomer to the tier may be seated in, the one that is filled first
   * ahead. Others of the price may have been opened by other rules.
   * @param {import("./game.js").Tier} tier
   */
  of(tier) {
    const lobbies = [...(this.lobbies?.values() ?? [])];
    return lobbies
      .filter((lobby) => lobby.buy_in_amount === tier.buy_in_amount && playsLike(lobby, tier))
      .sort((a, b) => b.player_count - a.player_count || a.created_at - b.created_at);
  }

  /**
   * Take a seat. Rejects with a Refusal.
   * @param {number} buyIn
   * @param {string} clientSeed
   */
  join(buyIn, clientSeed) {
    return this.channel.ask("join", { buy_in_amount: buyIn, client_seed: clientSeed });
  }

  close() {
    this.connection.close(this.channel);
  }
}

const RULES = ["side", "highest", "min_players", "max_players"];

const playsLike = ({ rules }, tier) => !rules || RULES.every((name) => rules[name] === tier[name]);
