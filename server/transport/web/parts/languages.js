import { choose, language, languages, t } from "../words/index.js";
import { h } from "./dom.js";

/** Let the player choose the language. */
export function showLanguages() {
  const options = languages.map(([tag, name]) =>
    h("option", { value: tag, lang: tag, selected: tag === language }, name),
  );
  const select = h(
    "select",
    { "aria-label": t("language.choose"), onchange: () => choose(select.value) },
    ...options,
  );
  document.getElementById("language").replaceChildren(select);
}
