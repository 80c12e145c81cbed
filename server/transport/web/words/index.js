import { SafeStorage } from "../game/storage.js";
import de from "./de.js";
import en from "./en.js";

/** The catalogues by their languages; the first is for who reads none of them. */
const CATALOGUES = { en, de };
const CHOSEN_KEY = "fair-bingo:language";
const storage = new SafeStorage();

const root = document.documentElement;
/**
 * The language of the page: the only one that it is written in, what was chosen by hand, or the first
 * of the browser's that there is.
 */
export const language = [root.dataset.only, storage.get(CHOSEN_KEY)]
  .concat(navigator.languages.map((tag) => tag.slice(0, 2)), "en")
  .find((tag) => Object.hasOwn(CATALOGUES, tag));

const catalogue = CATALOGUES[language];
const numbers = new Intl.NumberFormat(language);
const plurals = new Intl.PluralRules(language);
const lists = new Intl.ListFormat(language, { type: "unit" });
const dates = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "long" });

root.lang = language;

/** The languages that there are, by their own names. */
export const languages = Object.entries(CATALOGUES).map(([tag, words]) => [
  tag,
  words["language.name"],
]);

/** Go on in another language. */
export function choose(tag) {
  storage.set(CHOSEN_KEY, tag);
  location.reload();
}

/** Whether there are words for a name that may be of a newer server. */
export const has = (key) => Object.hasOwn(catalogue, key);

/**
 * The words for a key. `{name}` in them is a value: a number, in the way of the language, or a text.
 * Where they have plural forms, `count` picks one.
 * @param {keyof typeof en} key
 * @param {Record<string, string | number>} values
 */
export function t(key, values = {}) {
  const found = catalogue[key];
  const text = typeof found === "string" ? found : found[plurals.select(values.count)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? numbers.format(value) : value;
  });
}

/**
 * The same where a value is an element: what is to be put into the page, in the language's order.
 * @param {keyof typeof en} key
 * @param {string} name @param {Node} element
 */
export function around(key, name, element) {
  const [before, after] = t(key, { [name]: "\0" }).split("\0");
  return [before, element, after];
}

/** A number of any size. @param {number | bigint} value */
export const number = (value) => numbers.format(value);

/** What stands before the fraction of a number. */
export const decimalSeparator = numbers
  .formatToParts(0.5)
  .find(({ type }) => type === "decimal").value;

/** @param {(string | number)[]} items */
export const list = (items) => lists.format(items.map(String));

/** @param {number | string | Date} at in Unix ms, or in ISO 8601 */
export const date = (at) => dates.format(new Date(at));

/** The same to the second, and in which time zone. @param {number | string | Date} at as there */
export const moment = (at) => moments.format(new Date(at));
