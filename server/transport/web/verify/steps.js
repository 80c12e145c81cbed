import { mixed } from "../package/beacon.js";
import { entropyOf, fromHex, hashOfJson, oneTo, seedKey, sha256Hex, shuffled } from "../package/draw.js";
import { SHAPES } from "../package/patterns.js";
import { checkProof } from "../package/proof.js";
import { patternInWords } from "../parts/patterns.js";
import { nameOfChain } from "../parts/who_knows.js";
import { checkRecord, roundOfRecord } from "./record.js";

const UNSEEN = { me: null, seedHash: null, seeds: [], grid: null, heard: new Map() };

/**
 * A step of the check: what it says, whether it holds, its values as pairs of name and text, and
 * what would be different had somebody cheated.
 * @typedef {{what: string, holds: boolean, values: [string, string][], otherwise: string}} Step
 */

/**
 * The check of a proof, step by step.
 * @param {object} proof one that `isProof` takes
 * @param {object | null} file the game's whole record, if there is one
 * @param {import("../package/beacon.js").Keys} keys
 * @returns {Promise<Step[]>}
 */
export async function stepsOf(proof, file, keys) {
  const { patterns, ...shape } = SHAPES.get(proof.variant);
  const rules = { variant: proof.variant, ...shape };
  const checks = await checkProof(proof, { ...UNSEEN, rules, patterns, keys });
  const holds = (name) => checks.find(({ check }) => check === name)?.holds === true;
  const steps = [
    {
      what: "The house sealed its seed before anyone paid",
      holds: holds("seed"),
      values: [
        ["seed", proof.server_seed],
        ["its SHA-256 now", await sha256Hex(fromHex(proof.server_seed))],
        ["the seal in the proof", proof.server_seed_hash],
      ],
      otherwise:
        "With another seed the seal would be another. Compare it with the one that you were shown before the game.",
    },
    {
      what: "The tickets and seeds of all who paid are part of the draw",
      holds: holds("tickets"),
      values: [
        ["players", proof.players.map(([id, seed]) => `${id} (${seed || "no seed"})`).join(", ")],
        ["entropy computed now", await entropyOf(proof.players)],
        ["entropy in the proof", proof.entropy],
      ],
      otherwise:
        "A player added, left out, or with another ticket or seed would give another entropy, and so another order.",
    },
    ...(await beaconSteps(proof, file, keys, holds("beacon"))),
    await orderStep(proof, rules, holds("order")),
    {
      what: "Tickets that the house arranged follow from the seed",
      holds: holds("arranged"),
      values: [["by the house", words(proof.arranged)]],
      otherwise: "A ticket that the house chose to its liking would not be the one that the seed gives.",
    },
    {
      what: "The winner’s line was called in full",
      holds: holds("winner") || holds("no_winner"),
      values: [
        ["winner", proof.winner ?? "nobody"],
        ["line", proof.pattern === null ? "none" : patternInWords(proof.pattern)],
      ],
      otherwise: "A line with a number that was not called would not be complete in the numbers above.",
    },
    {
      what: "Nothing in the proof was altered afterwards",
      holds: holds("whole"),
      values: [
        ["hash of the proof", proof.proof_hash ?? "none"],
        ["hash of the game’s record", proof.log_hash ?? "none"],
      ],
      otherwise: "Any change, of a single sign, gives another hash.",
    },
    ...(file ? [await recordStep(file)] : []),
  ];
  return steps;
}

async function beaconSteps({ entropy, beacon }, file, keys, holds) {
  if (!beacon) return [];
  const { chain_hash, round, signature, randomness } = beacon;
  const value = signature === null ? null : await sha256Hex(fromHex(signature));
  const named = file && roundOfRecord(file);
  const steps = [
    {
      what: `A beacon gave a value: ${nameOfChain(chain_hash)}`,
      holds,
      values: [
        ["round", String(round)],
        ["signature", signature ?? "it was not there before the game was over"],
        ["under the public key", keys[chain_hash] ?? "no key of this chain is known to this page"],
        ["its SHA-256 now", value ?? "none"],
        ["the value in the proof", randomness ?? "none"],
        ["mixed with the entropy", randomness ? await mixed(entropy, randomness) : "nothing"],
      ],
      otherwise:
        "Only those who run the beacon, together, can sign a round, and each has one signature only: a value that somebody chose would have none.",
    },
  ];
  if (named)
    steps.push({
      what: "The round was named before anybody could know its value",
      holds: named.holds && named.round === round && named.chainHash === chain_hash,
      values: [
        ["the game started", new Date(named.startedAt).toISOString()],
        ["the round was there", new Date(named.thereAt).toISOString()],
      ],
      otherwise:
        "A round that was out already could have been chosen for its value. Compare the time with the one at which you saw the game start.",
    });
  return steps;
}

async function orderStep(proof, rules, holds) {
  const { entropy, beacon, lobby_id } = proof;
  const drawnBy = beacon?.randomness ? await mixed(entropy, beacon.randomness) : entropy;
  const key = await seedKey(proof.server_seed);
  const order = await shuffled(oneTo(rules.highest), key, `${lobby_id}:${drawnBy}`);
  const other = await shuffled(oneTo(rules.highest), key, `${lobby_id}:${await hashOfJson(drawnBy)}`);
  return {
    what: "The numbers were called in the order that follows from all of these",
    holds,
    values: [
      ["the order computed now", order.join(" ")],
      ["called", proof.numbers_called.join(" ") || "none"],
    ],
    otherwise: `With any other seed, ticket or value the order would be quite another one; for instance ${other.slice(0, 8).join(" ")} …`,
  };
}

async function recordStep(file) {
  const found = await checkRecord(file);
  return {
    what: "The record of the game is the one that was written",
    holds: found.holds,
    values: [
      ["entries", String(found.records)],
      ["hash of the last one before the end", found.hash],
      ...(found.fault === null ? [] : [["it breaks at", found.fault]]),
    ],
    otherwise: "Each entry carries the hash of the one before it: an entry altered, dropped or added breaks the chain.",
  };
}

const words = (arranged) =>
  Object.entries(arranged)
    .map(([id, how]) => `${id} (${how === "picked" ? "numbers and places" : "places"})`)
    .join(", ") || "none";
