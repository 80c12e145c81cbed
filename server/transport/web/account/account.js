import { NO_ANSWER, Refusal } from "../package/refusal.js";
import { within } from "../package/timing.js";

const TOKEN_MS = 8000;
const ANSWER_MS = 15_000;

/** What the server keeps of a player: their past, their limits, and whether they are shown. */
export class Account {
  /** @param {import("../connection/host.js").Host} host */
  constructor(host) {
    this.host = host;
  }

  /** The games that are over, the latest first; those after the page that gave `before`. */
  games(before = null) {
    return this.#ask("GET", `/api/me/games${before ? `?before=${encodeURIComponent(before)}` : ""}`);
  }

  /** The movements of the player's money since `from` (ISO 8601), in order. */
  statement(from) {
    return this.#ask("GET", `/api/me/statement?from=${encodeURIComponent(from)}`);
  }

  /** The same as a file of CSV. @returns {Promise<Blob>} */
  async statementFile(from) {
    const path = `/api/me/statement?from=${encodeURIComponent(from)}`;
    return (await this.#fetch("GET", path, { Accept: "text/csv" })).blob();
  }

  /** The limits that the player has set, and what counts against them. */
  limits() {
    return this.#ask("GET", "/api/me/limits");
  }

  /** Set limits; those that are not named stay, null takes one away. */
  setLimits(wanted) {
    return this.#ask("PUT", "/api/me/limits", wanted);
  }

  /** Keep the player out for so many days. */
  exclude(days) {
    return this.#ask("POST", "/api/me/exclusion", { days });
  }

  /** Those who won most games of a period. */
  leaders(period) {
    return this.#ask("GET", `/api/leaderboard?period=${period}`);
  }

  /** Whether the player is shown among them. */
  setListed(listed) {
    return this.#ask("PUT", "/api/me/profile", { listed });
  }

  async #ask(method, path, body) {
    return (await this.#fetch(method, path, { Accept: "application/json" }, body)).json();
  }

  async #fetch(method, path, headers, body) {
    const token = await within(TOKEN_MS, this.host.token());
    const answer = await fetch(path, {
      method,
      headers: { ...headers, Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    }).catch(() => null);
    if (!answer?.ok) throw new Refusal((await answer?.json().catch(() => null)) ?? NO_ANSWER);
    return answer;
  }
}
