import { h } from "../parts/dom.js";
import { t } from "../words/index.js";

/** A screen that says why there is no other. */
export function messageScreen(title, text) {
  const element = h(
    "section",
    { class: "message" },
    h("h1", { tabindex: -1 }, title),
    h("p", { class: "lead", role: "alert" }, text),
    h("p", {}, h("a", { class: "button", href: "/" }, t("page.frontDesk"))),
  );
  return { element };
}
