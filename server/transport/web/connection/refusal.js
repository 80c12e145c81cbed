import en from "../words/en.js";
import { date, has, t } from "../words/index.js";

const PREFIX = "refusal.";

/** The codes that there are words for: those of the protocol's error table, and of this client. */
export const CODES = Object.keys(en)
  .filter((key) => key.startsWith(PREFIX))
  .map((key) => key.slice(PREFIX.length));

/**
 * What went wrong, in words.
 * @param {Error & {code?: string, details?: object}} error
 */
export const inWords = ({ code, message, details }) =>
  untilWhen(code, details) ?? (has(PREFIX + code) ? t(PREFIX + code) : message);

/** Where the player's own limit, a break or a ban ends, when that is. */
function untilWhen(code, { excluded_until, free_at, until } = {}) {
  if (code === "limit_reached" && excluded_until)
    return t("limits.excluded", { until: date(excluded_until) });
  if (code === "limit_reached" && free_at) return t("limits.passed", { at: date(free_at) });
  return code === "banned" && until ? t("banned.until", { until: date(until) }) : null;
}
