import { choose, language, languages, t } from "../words/index.js";
import { h } from "./dom.js";

/** Let the player choose the language; `drawAgain` shows the page in it. */
export function showLanguages(drawAgain = () => location.reload()) {
  const options = languages.map(([tag, name]) =>
    h("option", { value: tag, lang: tag, selected: tag === language }, name),
  );
  const goOn = () => {
    choose(select.value);
    select.setAttribute("aria-label", t("language.choose"));
    drawAgain();
  };
  const select = h("select", { "aria-label": t("language.choose"), onchange: goOn }, ...options);
  document.getElementById("language").replaceChildren(select);
}
