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

const isText = (value) => typeof value === "string";
const isHash = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const areNumbers = (value) => Array.isArray(value) && value.every(Number.isInteger);
const areTexts = (value) => Array.isArray(value) && value.every(isText);
/** What each note can be. Anybody may have written to the storage: what is no note is none. */
const KINDS = {
  marks: areNumbers,
  picked: areNumbers,
  seeds: areTexts,
  seedHash: isHash,
  sent: isText,
  missing: areNumbers,
  at: Number.isFinite,
};

/** The notes of one player on all their games. */
export class GameNotes {
  /**
   * @param {import("./storage.js").SafeStorage} storage
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
    return { ...NOTHING, ...this.#read(this.prefix + lobbyId) };
  }

  /**
   * @param {string} lobbyId
   * @param {Partial<Notes>} changes
   */
  note(lobbyId, changes) {
    const notes = { ...this.of(lobbyId), ...changes, at: Date.now() };
    this.storage.set(this.prefix + lobbyId, JSON.stringify(notes));
    this.#forgetOldGames();
  }

  #read(key) {
    const found = Object.entries(parse(this.storage.get(key)));
    return Object.fromEntries(
      found.filter(([name, value]) => Object.hasOwn(KINDS, name) && KINDS[name](value)),
    );
  }

  #forgetOldGames() {
    const games = this.storage.keys().filter((key) => key.startsWith(this.prefix));
    const age = (key) => this.#read(key).at ?? 0;
    games.sort((a, b) => age(b) - age(a));
    games.slice(MOST_GAMES).forEach((key) => this.storage.remove(key));
  }
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
