/**
 * What this browser remembers of a game: the marks on the ticket, and what the proof has to agree
 * with in the end.
 *
 * @typedef {object} Notes
 * @property {number[]} marks the numbers marked by hand
 * @property {number[]} picked the numbers picked so far
 * @property {string[]} seeds the client seeds that were sent with a join
 * @property {string | null} seedHash the first `server_seed_hash` that was shown
 * @property {string | null} sent the invoice whose payment was sent: it must not be paid twice
 * @property {number[] | null} missing what a false claim was short of
 */

const PREFIX = "fair-bingo:game:";
const MOST_GAMES = 20;
/** @type {Notes} */
const NOTHING = { marks: [], picked: [], seeds: [], seedHash: null, sent: null, missing: null };

/** @returns {Storage | MemoryStorage} what outlives a reload, where the browser allows it */
export function openStorage() {
  try {
    localStorage.setItem("fair-bingo:probe", "");
    localStorage.removeItem("fair-bingo:probe");
    return localStorage;
  } catch {
    return new MemoryStorage(); // in an embedding page that may store nothing
  }
}

class MemoryStorage {
  #values = new Map();
  getItem = (key) => this.#values.get(key) ?? null;
  setItem = (key, value) => this.#values.set(key, value);
  removeItem = (key) => this.#values.delete(key);
  key = (index) => [...this.#values.keys()][index] ?? null;
  get length() {
    return this.#values.size;
  }
}

/** The notes of one player on all their games. */
export class Memory {
  /**
   * @param {Storage | MemoryStorage} storage
   * @param {string} alienId
   */
  constructor(storage, alienId) {
    this.storage = storage;
    this.prefix = `${PREFIX}${alienId}:`;
  }

  /**
   * @param {string} lobbyId
   * @returns {Notes}
   */
  of(lobbyId) {
    return { ...NOTHING, ...JSON.parse(this.storage.getItem(this.prefix + lobbyId) ?? "{}") };
  }

  /**
   * @param {string} lobbyId
   * @param {Partial<Notes>} changes
   */
  note(lobbyId, changes) {
    const notes = { ...this.of(lobbyId), ...changes, at: Date.now() };
    this.storage.setItem(this.prefix + lobbyId, JSON.stringify(notes));
    this.#forgetOldGames();
  }

  #forgetOldGames() {
    const keys = Array.from({ length: this.storage.length }, (_, i) => this.storage.key(i));
    const games = keys.filter((key) => key.startsWith(this.prefix));
    const age = (key) => JSON.parse(this.storage.getItem(key)).at;
    games.sort((a, b) => age(b) - age(a));
    games.slice(MOST_GAMES).forEach((key) => this.storage.removeItem(key));
  }
}
