/**
 * Who plays and how they pay: the one place where development and production differ.
 *
 * @typedef {object} Host
 * @property {() => Promise<string>} token a token that is valid now, as far as the host knows
 * @property {(invoice: Invoice) => Promise<"paid" | "cancelled" | "failed">} pay asks the player to
 *   pay. "paid" says that it was sent: whether it came in is for the server to say
 * @property {((name: string) => void) | null} rename plays on as somebody else, where that is
 *   possible
 *
 * @typedef {{invoice_id: string, amount: string, recipient: string, token: string, network: string,
 *   status: string, expires_at: number, owed?: string}} Invoice
 */

const NAME_KEY = "fair-bingo:name";
const NAME = /^[\w.:@-]{1,128}$/;
const ANSWER_MS = 30_000;

/**
 * The Alien platform around this page: the token is in the page, the wallet behind the mini app
 * bridge (`payment:request` and `payment:response` of @alien_org/contract 1.3).
 * @returns {Host}
 */
export function alienHost() {
  return {
    token: async () => window.__ALIEN_AUTH_TOKEN__ ?? "",
    pay: ({ recipient, amount, token, network, invoice_id: invoice }) =>
      askWallet({ recipient, amount, token, network, invoice }),
    rename: null,
  };
}

/** @returns {Promise<"paid" | "cancelled" | "failed">} */
function askWallet(order) {
  const bridge = window.__miniAppsBridge__;
  if (!bridge) return Promise.resolve("failed");
  const reqId = String(crypto.getRandomValues(new BigUint64Array(1))[0]);
  return new Promise((resolve) => {
    const listen = ({ data }) => {
      const message = readMessage(data);
      if (message?.name !== "payment:response" || message.payload?.reqId !== reqId) return;
      removeEventListener("message", listen);
      resolve(message.payload.status);
    };
    addEventListener("message", listen);
    const payload = { ...order, reqId };
    bridge.postMessage(JSON.stringify({ type: "method", name: "payment:request", payload }));
  });
}

function readMessage(data) {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    return null; // other scripts post other things
  }
}

/**
 * The issuer and the payment provider of development. The player's name is that of `?player=`, or
 * the last one of this browser, or a new one.
 * @param {import("../game/storage.js").SafeStorage} storage
 * @returns {Host}
 */
export function devHost(storage) {
  const asked = new URLSearchParams(location.search).get("player");
  const known = NAME.exec(storage.get(NAME_KEY) ?? "")?.[0];
  const name = asked ?? known ?? `guest-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
  storage.set(NAME_KEY, name);
  return {
    token: async () => (await post("/dev/token", { alien_id: name })).token,
    pay: async ({ invoice_id }) => {
      await post("/dev/pay", { invoice_id });
      return "paid";
    },
    rename: (next) => {
      storage.set(NAME_KEY, next);
      location.assign("/");
    },
  };
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}
