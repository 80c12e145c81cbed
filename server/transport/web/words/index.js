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
export let language = [root.dataset.only, storage.get(CHOSEN_KEY)]
  .concat(navigator.languages.map((tag) => tag.slice(0, 2)), "en")
  .find((tag) => Object.hasOwn(CATALOGUES, tag));

let catalogue, numbers, plurals, lists, dates, moments;
speak(language);

function speak(tag) {
  language = root.lang = tag;
  catalogue = CATALOGUES[tag];
  numbers = new Intl.NumberFormat(tag);
  plurals = new Intl.PluralRules(tag);
  lists = new Intl.ListFormat(tag, { type: "unit" });
  dates = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" });
  moments = new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "long" });
}

/** The languages that there are, by their own names. */
export const languages = Object.entries(CATALOGUES).map(([tag, words]) => [
  tag,
  words["language.name"],
]);

/** Go on in another language, here and in all pages; what is shown already stays as it is. */
export function choose(tag) {
  storage.set(CHOSEN_KEY, tag);
  speak(tag);
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
export const decimalSeparator = () =>
  numbers.formatToParts(0.5).find(({ type }) => type === "decimal").value;

/** @param {(string | number)[]} items */
export const list = (items) => lists.format(items.map(String));

/** @param {number | string | Date} at in Unix ms, or in ISO 8601 */
export const date = (at) => dates.format(new Date(at));

/** The same to the second, and in which time zone. @param {number | string | Date} at as there */
export const moment = (at) => moments.format(new Date(at));
