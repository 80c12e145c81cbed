import { mixed } from "../package/beacon.js";
import { entropyOf, fromHex, hashOfJson, oneTo, seedKey, sha256Hex, shuffled } from "../package/draw.js";
import { SHAPES } from "../package/patterns.js";
import { checkProof } from "../package/proof.js";
import { patternInWords } from "../parts/patterns.js";
import { nameOfChain } from "../parts/who_knows.js";
import { list, moment, number, t } from "../words/index.js";
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
  return [
    {
      what: t("verify.seed"),
      holds: holds("seed"),
      values: [
        [t("verify.seedValue"), proof.server_seed],
        [t("verify.seedNow"), await sha256Hex(fromHex(proof.server_seed))],
        [t("verify.seedSeal"), proof.server_seed_hash],
      ],
      otherwise: t("verify.seedOtherwise"),
    },
    {
      what: t("verify.tickets"),
      holds: holds("tickets"),
      values: [
        [t("verify.ticketsPlayers"), orNone(proof.players.map(playerInWords))],
        [t("verify.ticketsNow"), await entropyOf(proof.players)],
        [t("verify.ticketsEntropy"), proof.entropy],
      ],
      otherwise: t("verify.ticketsOtherwise"),
    },
    ...(await beaconSteps(proof, file, keys, holds("beacon"))),
    await orderStep(proof, rules, holds("order")),
    {
      what: t("verify.arranged"),
      holds: holds("arranged"),
      values: [[t("verify.arrangedHouse"), orNone(Object.entries(proof.arranged).map(arrangedInWords))]],
      otherwise: t("verify.arrangedOtherwise"),
    },
    {
      what: t("verify.winner"),
      holds: holds("winner") || holds("no_winner"),
      values: [
        [t("verify.winnerWinner"), proof.winner ?? t("verify.winnerNobody")],
        [t("verify.winnerLine"), proof.pattern === null ? t("verify.none") : patternInWords(proof.pattern)],
      ],
      otherwise: t("verify.winnerOtherwise"),
    },
    {
      what: t("verify.whole"),
      holds: holds("whole"),
      values: [
        [t("verify.wholeProof"), proof.proof_hash ?? t("verify.noValue")],
        [t("verify.wholeRecord"), proof.log_hash ?? t("verify.noValue")],
      ],
      otherwise: t("verify.wholeOtherwise"),
    },
    ...(file ? [await recordStep(file)] : []),
  ];
}

async function beaconSteps({ entropy, beacon }, file, keys, holds) {
  if (!beacon) return [];
  const { chain_hash, round, signature, randomness } = beacon;
  const value = signature === null ? null : await sha256Hex(fromHex(signature));
  const both = randomness === null ? null : await mixed(entropy, randomness);
  const step = {
    what: t("verify.beacon", { chain: nameOfChain(chain_hash) }),
    holds,
    values: [
      [t("verify.beaconRound"), String(round)],
      [t("verify.beaconSignature"), signature ?? t("verify.beaconNoSignature")],
      [t("verify.beaconKey"), keys[chain_hash] ?? t("verify.beaconNoKey")],
      [t("verify.beaconNow"), value ?? t("verify.noValue")],
      [t("verify.beaconValue"), randomness ?? t("verify.noValue")],
      [t("verify.beaconMixed"), both ?? t("verify.noValue")],
    ],
    otherwise: t("verify.beaconOtherwise"),
  };
  return file ? [step, namedStep(file, beacon)] : [step];
}

function namedStep(file, { chain_hash, round }) {
  const named = roundOfRecord(file);
  return {
    what: t("verify.named"),
    holds: named.holds && named.round === round && named.chainHash === chain_hash,
    values: [
      [t("verify.namedStarted"), when(named.startedAt)],
      [t("verify.namedThere"), when(named.thereAt)],
    ],
    otherwise: t("verify.namedOtherwise"),
  };
}

async function orderStep(proof, rules, holds) {
  const { entropy, beacon, lobby_id } = proof;
  const drawnBy = beacon?.randomness ? await mixed(entropy, beacon.randomness) : entropy;
  const key = await seedKey(proof.server_seed);
  const order = await shuffled(oneTo(rules.highest), key, `${lobby_id}:${drawnBy}`);
  const other = await shuffled(oneTo(rules.highest), key, `${lobby_id}:${await hashOfJson(drawnBy)}`);
  return {
    what: t("verify.order"),
    holds,
    values: [
      [t("verify.orderNow"), order.join(" ")],
      [t("verify.orderCalled"), proof.numbers_called.join(" ") || t("verify.none")],
    ],
    otherwise: t("verify.orderOtherwise", { numbers: other.slice(0, 8).join(" ") }),
  };
}

async function recordStep(file) {
  const found = await checkRecord(file);
  return {
    what: t("verify.record"),
    holds: found.holds,
    values: [
      [t("verify.recordEntries"), number(found.records)],
      [t("verify.recordHash"), found.hash],
      ...(found.fault === null ? [] : [[t("verify.recordFault"), found.fault]]),
    ],
    otherwise: t("verify.recordOtherwise"),
  };
}

const playerInWords = ([player, seed]) =>
  t("verify.ticketsPlayer", { player, seed: seed || t("verify.ticketsNoSeed") });

const arrangedInWords = ([player, how]) => t(`verify.arranged_${how}`, { player });

const orNone = (items) => list(items) || t("verify.none");

/** An instant in words; a file may hold one that no calendar has. */
const when = (ms) => (Number.isNaN(new Date(ms).getTime()) ? t("verify.noValue") : moment(ms));
