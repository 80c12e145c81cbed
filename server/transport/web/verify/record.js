import { sha256Hex } from "../package/draw.js";
import { QUICKNET } from "../package/beacon.js";

const LINES = ["previous", "id", "version", "at", "type", "data", "event", "message"];
const FIRST = "0".repeat(64);
const AHEAD_MS = 1001;
const utf8 = new TextEncoder();

const hashOf = (entry) => sha256Hex(utf8.encode(LINES.map((name) => entry[name] ?? "").join("\n")));

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
  if (fault === null && hash !== previous) fault = log.at(-1)?.id ?? "the beginning";
  if (fault === null && proof && proof.log_hash !== before) fault = "the proof";
  if (fault === null && proof && !isOf(log, proof)) fault = "the proof: it is of another game";
  return { holds: fault === null && log.length > 0, records: log.length, hash: before, fault };
}

/** Whether a proof shows the seed and the numbers that stand in the record. */
function isOf(log, { lobby_id, server_seed, numbers_called }) {
  const opened = JSON.parse(log[0]?.data ?? "{}");
  const called = log.filter(({ type }) => type === "number_called");
  const numbers = called.map(({ data }) => JSON.parse(data).number);
  return (
    opened.lobby_id === lobby_id &&
    opened.server_seed === server_seed &&
    String(numbers) === String(numbers_called)
  );
}

/**
 * When the start named its round, and when that was there (Unix ms); null where the record has no
 * such start.
 */
export function roundOfRecord({ log }) {
  const dataOf = (type) => {
    const entry = log.find((found) => found.type === type);
    return entry ? JSON.parse(entry.data) : null;
  };
  const chosen = dataOf("beacon_chosen");
  const awaited = dataOf("beacon_awaited");
  if (!chosen || !awaited) return null;
  const { chain_hash, genesis_ms, period_ms } = chosen.chain;
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
