import { fromHex, sha256Hex } from "./draw.js";

const HASH_TO_G1 = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_";

/** The League of Entropy's public chain `quicknet`: its times are Unix seconds. */
export const QUICKNET = {
  chainHash: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
  publicKey:
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesis: 1692803367,
  period: 3,
};

/**
 * Public keys of beacons in hex, by the hash of their chain.
 * @typedef {Record<string, string>} Keys
 */

/** @type {Keys} */
export const QUICKNET_KEY = { [QUICKNET.chainHash]: QUICKNET.publicKey };

/** The value of a round, in hex, by its signature. */
export const valueOf = (signature) => sha256Hex(fromHex(signature));

/** What the players bring to the draw, with a beacon's value mixed in. */
export const mixed = (entropy, randomness) =>
  sha256Hex(new TextEncoder().encode(`${entropy}:${randomness}`));

/**
 * Whether that is the signature of the round under the public key: BLS on BLS12-381, in G1, of the
 * SHA-256 of the round's number. What is needed for it is loaded only here.
 * @param {string} publicKey hex
 * @param {number} round
 * @param {string} signature hex
 */
export async function verifies(publicKey, round, signature) {
  if (!/^[0-9a-f]{96}$/.test(signature) || !/^[0-9a-f]{192}$/.test(publicKey)) return false;
  if (!Number.isSafeInteger(round) || round < 0) return false;
  const { bls12_381 } = await import("./bls12_381.min.js");
  const number = new DataView(new ArrayBuffer(8));
  number.setBigUint64(0, BigInt(round));
  const message = new Uint8Array(await crypto.subtle.digest("SHA-256", number.buffer));
  const bls = bls12_381.shortSignatures;
  try {
    return bls.verify(fromHex(signature), bls.hash(message, HASH_TO_G1), fromHex(publicKey));
  } catch {
    return false; // they are no points of the curve
  }
}

/** What a proof says of its beacon: whether that holds under a key that is known. */
export async function beaconHolds({ beacon, numbers_called }, keys) {
  const { chain_hash, round, signature, randomness } = beacon;
  // A game may end before the round is there, and then no number was called.
  if (signature === null || randomness === null)
    return signature === randomness && numbers_called.length === 0;
  return (
    Object.hasOwn(keys, chain_hash) &&
    randomness === (await valueOf(signature)) &&
    (await verifies(keys[chain_hash], round, signature))
  );
}
