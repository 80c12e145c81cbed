import { h } from "./dom.js";

/**
 * Show who plays; where names can be chosen freely, as a form.
 * @param {string} name
 * @param {((name: string) => void) | null} rename
 */
export function showPlayer(name, rename) {
  const place = document.getElementById("player");
  if (!rename) return place.replaceChildren(h("bdi", {}, name));
  const input = h("input", {
    value: name,
    "aria-label": "You play as",
    maxlength: 128,
    pattern: "[A-Za-z0-9._:@\\-]+",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
  });
  const form = h(
    "form",
    { onsubmit: (event) => (event.preventDefault(), rename(input.value)) },
    h("span", { "aria-hidden": "true" }, "You play as"),
    input,
    h("button", { type: "submit", class: "plain" }, "Change"),
  );
  place.replaceChildren(form);
}
