import { decimalSeparator, number } from "../words/index.js";

/**
 * An element. Strings among the children become text, never markup.
 * @param {string} tag
 * @param {Record<string, any>} attributes `on...` are listeners; false, null and undefined are
 *   left out, true is an attribute without a value
 * @param {...(Node | string | number | false | null | undefined)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  element.append(...children.filter((child) => child !== false && child != null).map(asNode));
  return element;
}

const asNode = (child) => (child instanceof Node ? child : String(child));

/**
 * Set an attribute, or take it away for null and undefined; only if that changes it. `true` and
 * `false` are words in ARIA and data attributes, and presence and absence in the others.
 */
export function set(element, name, value) {
  const isWord = name.startsWith("aria-") || name.startsWith("data-");
  const text = value === true && !isWord ? "" : String(value);
  if (value == null || (value === false && !isWord)) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Set the text of an element, only if that changes it. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/** @param {number} amount */
export const coins = (amount) => number(amount);

/**
 * An invoice counts in the token's smallest unit, the page in coins: exactly, down to one unit.
 * @param {string} units @param {string} asked units that the invoice asks for @param {number} price coins
 */
export function coinsOf(units, asked, price) {
  const decimals = asked.length - String(price).length;
  const digits = units.padStart(decimals + 1, "0");
  const whole = number(BigInt(digits.slice(0, digits.length - decimals)));
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return part ? whole + decimalSeparator() + part : whole;
}
