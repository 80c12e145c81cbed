import { sha256Hex } from "../package/draw.js";
import { QUICKNET } from "../package/beacon.js";
import { t } from "../words/index.js";

const LINES = ["previous", "id", "version", "at", "type", "data", "event", "message"];
const FIRST = "0".repeat(64);
const AHEAD_MS = 1001;
const utf8 = new TextEncoder();

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** What an entry says; nothing of what is no object. */
const dataOf = (entry) => Object(JSON.parse(entry?.data ?? "{}"));

const hashOf = (entry) => sha256Hex(utf8.encode(LINES.map((name) => entry[name] ?? "").join("\n")));

/** Whether a JSON value is the file of a game: its log, and what it comes to. */
export const isRecord = (value) =>
  isObject(value) && Array.isArray(value.log) && value.log.every(isObject);

/**
 * Whether each entry of a game's record vouches for the one before it.
 * @param {{log: Record<string, string>[], hash: string, proof: object | null}} file
 * @returns {Promise<{holds: boolean, records: number, hash: string, fault: string | null}>}
 */
export async function checkRecord({ log, hash, proof }) {
  let previous = FIRST;
  let before = FIRST;
  let fault = null;
  for (const entry of log) {
    if (fault === null && entry.previous !== previous) fault = entry.id;
    before = previous;
    previous = await hashOf(entry);
  }
  if (fault === null && hash !== previous) fault = log.at(-1)?.id ?? t("verify.recordBeginning");
  if (fault === null && proof && proof.log_hash !== before) fault = t("verify.recordProof");
  if (fault === null && proof && !isOf(log, proof)) fault = t("verify.recordOtherGame");
  return { holds: fault === null && log.length > 0, records: log.length, hash: before, fault };
}

/** Whether a proof shows the seed and the numbers that stand in the record. */
function isOf(log, { lobby_id, server_seed, numbers_called }) {
  const opened = dataOf(log[0]);
  const called = log.filter(({ type }) => type === "number_called");
  const numbers = called.map((entry) => dataOf(entry).number);
  return (
    opened.lobby_id === lobby_id &&
    opened.server_seed === server_seed &&
    String(numbers) === String(numbers_called)
  );
}

/**
 * When the start named its round, and when that was there (Unix ms); a record without such a start
 * has named none.
 */
export function roundOfRecord({ log }) {
  const first = (type) => dataOf(log.find((found) => found.type === type));
  const awaited = first("beacon_awaited");
  const { chain_hash, genesis_ms, period_ms } = Object(first("beacon_chosen").chain);
  const timeOf = (round) => genesis_ms + (round - 1) * period_ms;
  const earliest = awaited.started_at + AHEAD_MS;
  const isFirst = awaited.round === 1 || timeOf(awaited.round - 1) < earliest;
  const isKnown =
    chain_hash !== QUICKNET.chainHash ||
    (genesis_ms === QUICKNET.genesis * 1000 && period_ms === QUICKNET.period * 1000);
  return {
    chainHash: chain_hash,
    holds: timeOf(awaited.round) >= earliest && isFirst && isKnown,
    round: awaited.round,
    startedAt: awaited.started_at,
    thereAt: timeOf(awaited.round),
  };
}
