import { entropyOf, fromHex, hashOfJson, oneTo, seedKey, sha256Hex, shuffled } from "./draw.js";
import { completePattern } from "./patterns.js";

const FACTS = [
  "lobby_id",
  "variant",
  "server_seed",
  "server_seed_hash",
  "players",
  "arranged",
  "entropy",
  "numbers_called",
  "winner",
  "pattern",
  "log_hash",
];

/**
 * What this browser knows of a game without the proof.
 *
 * @typedef {object} Observations
 * @property {string} me the player's id
 * @property {string | null} seedHash shown before the game
 * @property {string[]} seeds the client seeds that this browser sent
 * @property {number[][] | null} grid the player's
 * @property {Map<number, number>} heard the numbers called while it listened, by their index from 1
 * @property {import("./view.js").Rules} [rules] what the lobby said that it plays by
 * @property {import("./view.js").Patterns} [patterns] and what wins there
 *
 * @typedef {{what: string, holds: boolean}} Check
 */

/**
 * Check a proof, by itself and against what this browser has seen. Throws if it is no proof at all.
 * @param {object} proof
 * @param {Observations} observed
 * @returns {Promise<Check[]>}
 */
export async function checkProof(proof, observed) {
  const { rules, patterns } = observed;
  if (rules?.variant !== proof.variant || !patterns)
    throw new Error("This page does not know the game of this proof.");
  const key = await seedKey(proof.server_seed);
  const order = await shuffled(oneTo(rules.highest), key, `${proof.lobby_id}:${proof.entropy}`);
  return [
    {
      what: "The seed opens the seal that was shown before the game",
      holds: await opens(proof, observed),
    },
    {
      what: "Every ticket is complete and is part of the draw",
      holds: await ticketsCount(proof, rules),
    },
    {
      what: "The numbers follow from the seed and the tickets",
      holds: isHead(proof.numbers_called, order),
    },
    {
      what: "Tickets arranged by the house follow from the seed",
      holds: await houseIsFair(proof, key, rules),
    },
    { what: winnerWords(proof), holds: winnerHolds(proof, patterns) },
    {
      what: "The record of the game is sealed, and the proof is whole",
      holds: await isWhole(proof),
    },
    ...ownChecks(proof, observed),
  ];
}

async function opens({ server_seed, server_seed_hash }, { seedHash }) {
  const hash = await sha256Hex(fromHex(server_seed));
  return server_seed.length === 64 && hash === server_seed_hash && hash === (seedHash ?? hash);
}

async function ticketsCount({ players, entropy }, { side, highest }) {
  const inOrder = players.every(([id], i) => i === 0 || players[i - 1][0] < id);
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

const winnerWords = ({ winner }) =>
  winner === null ? "Nobody is named as the winner" : "The winner’s line was called in full";

function winnerHolds({ players, numbers_called, winner, pattern }, patterns) {
  if (winner === null) return pattern === null;
  const row = players.find(([id]) => id === winner);
  return row !== undefined && completePattern(row[2], numbers_called, patterns)?.name === pattern;
}

async function isWhole({ proof_hash, ...rest }) {
  const { players, arranged } = rest;
  const pairs = players.flatMap(([id]) => (Object.hasOwn(arranged, id) ? [[id, arranged[id]]] : []));
  const facts = FACTS.map((name) => (name === "arranged" ? pairs : rest[name]));
  return /^[0-9a-f]{64}$/.test(rest.log_hash) && (await hashOfJson(facts)) === proof_hash;
}

function ownChecks({ players, numbers_called }, { me, seeds, grid, heard }) {
  const checks = [];
  const own = players.find(([id]) => id === me);
  if (own && seeds.length > 0)
    checks.push({
      what: "Your own random seed is part of the draw",
      holds: seeds.includes(own[1]),
    });
  if (own && grid)
    checks.push({
      what: "Your ticket is the one you held",
      holds: String(own[2]) === String(grid),
    });
  if (heard.size > 0)
    checks.push({
      what: `The ${heard.size} numbers you heard are these`,
      holds: [...heard].every(([index, number]) => numbers_called[index - 1] === number),
    });
  return checks;
}
