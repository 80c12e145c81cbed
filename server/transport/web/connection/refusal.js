import en from "../words/en.js";
import { has, t } from "../words/index.js";

const PREFIX = "refusal.";

/** The codes that there are words for: those of the protocol's error table, and of this client. */
export const CODES = Object.keys(en)
  .filter((key) => key.startsWith(PREFIX))
  .map((key) => key.slice(PREFIX.length));

/**
 * What went wrong, in words.
 * @param {Error & {code?: string}} error
 */
export const inWords = ({ code, message }) =>
  has(PREFIX + code) ? t(PREFIX + code) : message;
