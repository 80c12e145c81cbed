import { QUICKNET_KEY, beaconHolds, mixed } from "./beacon.js";
import { entropyOf, fromHex, hashOfJson, oneTo, seedKey, sha256Hex, shuffled } from "./draw.js";
import { SHAPES, completePattern } from "./patterns.js";
import { isProof } from "./proof_schema.js";
import { Refusal } from "./refusal.js";

/** In their order; `beacon` only where there is one. */
const FACTS = [
  "lobby_id",
  "variant",
  "server_seed",
  "server_seed_hash",
  "players",
  "arranged",
  "entropy",
  "beacon",
  "numbers_called",
  "winner",
  "pattern",
  "log_hash",
];

/**
 * What a client knows of a game without the proof.
 *
 * @typedef {object} Observations
 * @property {string | null} me the player's id
 * @property {string | null} seedHash shown before the game
 * @property {string[]} seeds the client seeds that it sent
 * @property {number[][] | null} grid the player's
 * @property {Map<number, number>} heard the numbers received, by their index from 1
 * @property {{chain_hash: string, round: number | null}} [beacon] the beacon that was named
 * @property {import("./view.js").Rules} [rules] what the lobby said that it plays by
 * @property {import("./view.js").Patterns} [patterns] and what wins there
 * @property {import("./beacon.js").Keys} [keys] the public keys of beacons that are known; without
 *   any, quicknet's
 *
 * @typedef {{check: string, holds: boolean, count?: number}} Check by its name: `seed`, `tickets`,
 *   `beacon`, `order`, `arranged`, `winner` or `no_winner`, `whole`; and of what was observed `own_seed`,
 *   `own_ticket`, `heard` with their `count`
 */

/** @type {Observations} */
const NOTHING_SEEN = { me: null, seedHash: null, seeds: [], grid: null, heard: new Map() };

/**
 * Check a proof by itself: whether the draw was fixed before anyone had paid. It is false of
 * whatever is no proof, or one of a variant that is not known.
 * @param {unknown} proof a JSON value
 * @param {{keys?: import("./beacon.js").Keys}} [options] public keys of beacons beside quicknet's
 * @returns {Promise<boolean>}
 */
export async function verify(proof, { keys = {} } = {}) {
  if (!isProof(proof)) return false;
  const { patterns, ...shape } = SHAPES.get(proof.variant);
  const rules = { variant: proof.variant, ...shape };
  const checks = await checkProof(proof, {
    ...NOTHING_SEEN,
    rules,
    patterns,
    keys: { ...QUICKNET_KEY, ...keys },
  });
  return checks.every(({ holds }) => holds);
}

/**
 * Check a proof, by itself and against what was seen. Throws if it is no proof at all.
 * @param {object} proof
 * @param {Observations} observed
 * @returns {Promise<Check[]>}
 */
export async function checkProof(proof, observed) {
  const { rules, patterns, keys = QUICKNET_KEY } = observed;
  if (rules?.variant !== proof.variant || !patterns) throw new Refusal({ code: "unknown_variant" });
  const key = await seedKey(proof.server_seed);
  const drawnBy = await drawnFrom(proof);
  const order = await shuffled(oneTo(rules.highest), key, `${proof.lobby_id}:${drawnBy}`);
  const beacon = (proof.beacon ?? observed.beacon) && {
    check: "beacon",
    holds: await beaconIsRight(proof, observed.beacon, keys),
  };
  return [
    { check: "seed", holds: await opens(proof, observed) },
    { check: "tickets", holds: await ticketsCount(proof, rules) },
    ...(beacon ? [beacon] : []),
    { check: "order", holds: isHead(proof.numbers_called, order) },
    { check: "arranged", holds: await houseIsFair(proof, key, rules) },
    {
      check: proof.winner === null ? "no_winner" : "winner",
      holds: winnerHolds(proof, patterns),
    },
    { check: "whole", holds: await isWhole(proof) },
    ...ownChecks(proof, observed),
  ];
}

/** What the order follows from beside the seed: the players, and the beacon where there is one. */
const drawnFrom = ({ entropy, beacon }) =>
  beacon?.randomness ? mixed(entropy, beacon.randomness) : entropy;

/** Another round than the one that was named before it was there could have been chosen. */
async function beaconIsRight(proof, named, keys) {
  const { beacon } = proof;
  if (!beacon || (named && named.chain_hash !== beacon.chain_hash)) return false;
  return (named?.round ?? beacon.round) === beacon.round && (await beaconHolds(proof, keys));
}

async function opens({ server_seed, server_seed_hash }, { seedHash }) {
  const hash = await sha256Hex(fromHex(server_seed));
  return server_seed.length === 64 && hash === server_seed_hash && hash === (seedHash ?? hash);
}

async function ticketsCount({ players, entropy }, { side, highest }) {
  const inOrder = players.every(([id], i) => i === 0 || isBefore(players[i - 1][0], id));
  const complete = players.every(([, , grid]) => {
    const numbers = new Set(
      grid.flat().filter((n) => Number.isInteger(n) && n >= 1 && n <= highest),
    );
    return (
      grid.length === side && grid.every((row) => row.length === side) && numbers.size === side ** 2
    );
  });
  return players.length >= 2 && inOrder && complete && (await entropyOf(players)) === entropy;
}

/** In the order of code points, which is not that of JavaScript's strings. */
function isBefore(one, other) {
  const [left, right] = [one, other].map((text) => [...text].map((char) => char.codePointAt(0)));
  const i = left.findIndex((code, at) => code !== right[at]);
  return i < 0 ? left.length < right.length : left[i] < right[i];
}

const isHead = (called, order) => called.every((number, i) => number === order[i]);

/** One player in 362,880 arranges by hand what the house would have: that doubt stays. */
async function houseIsFair({ lobby_id, players, arranged }, key, { side, highest }) {
  const ids = new Set(players.map(([id]) => id));
  if (!Object.keys(arranged).every((id) => ids.has(id))) return false;
  for (const [id, , grid] of players) {
    const numbers = grid.flat();
    const made = (pool) => shuffled(pool, key, `${lobby_id}:grid:${id}`);
    const isSame = (cells) => numbers.every((number, i) => number === cells[i]);
    const ascending = [...numbers].sort((a, b) => a - b);
    const byHouse = isSame(await made(oneTo(highest)))
      ? "picked"
      : isSame(await made(ascending))
        ? "arranged"
        : undefined;
    if (Object.hasOwn(arranged, id) ? arranged[id] !== byHouse : byHouse) return false;
  }
  return true;
}

function winnerHolds({ players, numbers_called, winner, pattern }, patterns) {
  if (winner === null) return pattern === null;
  const row = players.find(([id]) => id === winner);
  return row !== undefined && completePattern(row[2], numbers_called, patterns)?.name === pattern;
}

/** A proof without either hash is one of the draw alone. */
async function isWhole({ proof_hash, ...rest }) {
  if (proof_hash === undefined && rest.log_hash === undefined) return true;
  const { players, arranged } = rest;
  const pairs = players.flatMap(([id]) => (Object.hasOwn(arranged, id) ? [[id, arranged[id]]] : []));
  const named = FACTS.filter((name) => name !== "beacon" || rest.beacon !== undefined);
  const values = { ...rest, arranged: pairs, beacon: rest.beacon && inOrder(rest.beacon) };
  const facts = named.map((name) => values[name]);
  return /^[0-9a-f]{64}$/.test(rest.log_hash) && (await hashOfJson(facts)) === proof_hash;
}

const inOrder = ({ chain_hash, round, signature, randomness }) => ({
  chain_hash,
  round,
  signature,
  randomness,
});

function ownChecks({ players, numbers_called }, { me, seeds, grid, heard }) {
  const checks = [];
  const own = players.find(([id]) => id === me);
  if (own && seeds.length > 0) checks.push({ check: "own_seed", holds: seeds.includes(own[1]) });
  if (own && grid) checks.push({ check: "own_ticket", holds: String(own[2]) === String(grid) });
  if (heard.size > 0)
    checks.push({
      check: "heard",
      count: heard.size,
      holds: [...heard].every(([index, number]) => numbers_called[index - 1] === number),
    });
  return checks;
}
