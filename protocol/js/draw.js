/**
 * The draw: every number of a game follows from the server's seed. A stream named m is HMAC-SHA256
 * of "m:0", "m:1" ... under the seed, each read as eight big-endian 32-bit numbers.
 */

const RANGE = 2 ** 32;
const NUMBERS_A_BLOCK = 8;
const utf8 = new TextEncoder();

/** @param {string} text lower-case hex */
export const fromHex = (text) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** @param {Uint8Array} bytes */
export async function sha256Hex(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The hash of the JSON text of a value. */
export const hashOfJson = (value) => sha256Hex(utf8.encode(JSON.stringify(value)));

/** What the players bring to the draw: the hash of the JSON of all their rows. */
export const entropyOf = (players) => hashOfJson(players);

/** The key for the streams of a game, from its seed in hex. */
export const seedKey = (seed) =>
  crypto.subtle.importKey("raw", fromHex(seed), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);

/**
 * `items` in the order that the stream `name` gives them: Fisher-Yates from the end, each index by
 * rejection, so that every order is equally likely.
 * @param {number[]} items
 * @param {CryptoKey} key
 * @param {string} name
 */
export async function shuffled(items, key, name) {
  const order = [...items];
  const numbers = stream(key, name);
  for (let j = order.length - 1; j > 0; j--) {
    const fairBelow = Math.floor(RANGE / (j + 1)) * (j + 1);
    let u;
    do u = (await numbers.next()).value;
    while (u >= fairBelow);
    const k = u % (j + 1);
    [order[j], order[k]] = [order[k], order[j]];
  }
  return order;
}

async function* stream(key, name) {
  for (let block = 0; ; block++) {
    const digest = await crypto.subtle.sign("HMAC", key, utf8.encode(`${name}:${block}`));
    const view = new DataView(digest);
    for (let i = 0; i < NUMBERS_A_BLOCK; i++) yield view.getUint32(4 * i);
  }
}

/** 1 to `highest`. */
export const oneTo = (highest) => Array.from({ length: highest }, (_, i) => i + 1);
