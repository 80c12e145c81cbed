import { h } from "./dom.js";
import { t } from "../words/index.js";

/**
 * Show who plays, and the way to their account; where names can be chosen freely, as a form.
 * @param {string} name
 * @param {((name: string) => void) | null} rename
 */
export function showPlayer(name, rename) {
  const account = document.getElementById("account");
  account.textContent = t("account.link");
  account.hidden = false;
  const place = document.getElementById("player");
  if (!rename) return place.replaceChildren(h("bdi", {}, name));
  const input = h("input", {
    value: name,
    "aria-label": t("player.as"),
    maxlength: 128,
    pattern: "[A-Za-z0-9._:@\\-]+",
    required: true,
    autocomplete: "off",
    spellcheck: "false",
  });
  const form = h(
    "form",
    { onsubmit: (event) => (event.preventDefault(), rename(input.value)) },
    h("span", { "aria-hidden": "true" }, t("player.as")),
    input,
    h("button", { type: "submit", class: "plain" }, t("player.change")),
  );
  place.replaceChildren(form);
}
