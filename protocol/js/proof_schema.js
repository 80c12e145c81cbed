import { SHAPES } from "./patterns.js";

const isText = (value) => typeof value === "string";
const isHash = (value) => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isListOf = (isItem) => (value) => Array.isArray(value) && value.every(isItem);
const isGrid = isListOf(isListOf(Number.isInteger));
const orNull = (isValue) => (value) => value === null || isValue(value);

const isRow = (value) =>
  Array.isArray(value) &&
  value.length === 3 &&
  isText(value[0]) &&
  isText(value[1]) &&
  isGrid(value[2]);

const isArranged = (value) =>
  isObject(value) && Object.values(value).every((how) => how === "arranged" || how === "picked");

const BEACON = {
  chain_hash: isText,
  round: Number.isInteger,
  signature: orNull((value) => isText(value) && /^[0-9a-f]{96}$/.test(value)),
  randomness: orNull(isHash),
};

/** Whether a value is an object of these fields, each of its kind, and of no others. */
const has = (value, fields) =>
  isObject(value) &&
  Object.keys(value).length === Object.keys(fields).length &&
  Object.entries(fields).every(([name, is]) => Object.hasOwn(value, name) && is(value[name]));

/** What each field can be. */
const FIELDS = {
  lobby_id: isText,
  variant: (value) => SHAPES.has(value),
  server_seed: isHash,
  server_seed_hash: isHash,
  players: isListOf(isRow),
  arranged: isArranged,
  entropy: isHash,
  numbers_called: isListOf((number) => Number.isInteger(number) && number >= 1),
  winner: orNull(isText),
  pattern: orNull(isText),
};
/** A proof has both or neither: without them it is one of the draw alone. */
const HASHES = { log_hash: isHash, proof_hash: isHash };

/**
 * Whether a JSON value has the fields of a proof, each of its kind, and no others.
 * @param {unknown} value
 */
export function isProof(value) {
  if (!isObject(value)) return false;
  const isWhole = Object.keys(HASHES).some((name) => Object.hasOwn(value, name));
  const beacon = Object.hasOwn(value, "beacon") && { beacon: (field) => has(field, BEACON) };
  return has(value, { ...FIELDS, ...beacon, ...(isWhole && HASHES) });
}
