import { TOKEN_MS } from "./channel.js";
import { Connection } from "./connection.js";
import { FrontDesk } from "./front_desk.js";
import { Room } from "./room.js";
import { NO_ANSWER, Refusal } from "./refusal.js";
import { within } from "./timing.js";
import { readToken } from "./token.js";

export { verify } from "./proof.js";
export { Refusal };

/**
 * Connect to the front desk of a server. Rejects with a Refusal.
 * @param {{url: string, token: string | (() => string | Promise<string>)}} options `token` as a
 *   function is asked for a new one before the last one expires
 * @returns {Promise<Desk>}
 */
export async function connect({ url, token }) {
  const connection = new Connection({ url, token });
  try {
    const me = readToken(await firstOf(connection))?.sub;
    return await new Desk(connection, me).entered();
  } catch (error) {
    connection.end();
    throw error;
  }
}

/** The first token. Rejects with a Refusal where there is none in time. */
async function firstOf(connection) {
  try {
    return await within(TOKEN_MS, connection.token());
  } catch (cause) {
    throw new Refusal({ ...NO_ANSWER, message: "there is no token" }, { cause });
  }
}

/** The front desk, and the rooms that are entered from it, on one connection. */
class Desk extends FrontDesk {
  /** @type {Map<string, Room>} */
  #rooms = new Map();
  #closed = false;

  constructor(connection, me) {
    super(connection);
    this.me = me;
  }

  /**
   * Go into a lobby, to play there or to watch; into one that is not left yet, again. Rejects with a
   * Refusal.
   * @param {string} lobbyId
   * @returns {Promise<Room>}
   */
  async enter(lobbyId) {
    if (this.#closed) throw new Refusal({ code: "closed", message: "the desk was closed" });
    this.#closeOthersThatAreOver(lobbyId);
    const known = this.#rooms.get(lobbyId);
    const room = known?.isOpen ? known : new Room(this.connection, lobbyId, this.me);
    this.#rooms.set(lobbyId, room);
    return room.entered();
  }

  /** A connection has so many namespaces only, and none is needed where nothing comes. */
  #closeOthersThatAreOver(lobbyId) {
    for (const [id, room] of this.#rooms) {
      if (id === lobbyId || (room.isOpen && room.view?.status !== "finished")) continue;
      room.close();
      this.#rooms.delete(id);
    }
  }

  /** End the connection: every room is closed too. */
  close() {
    this.#closed = true;
    for (const room of this.#rooms.values()) room.close();
    this.connection.end();
  }
}
