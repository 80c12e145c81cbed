import { inWords } from "../connection/refusal.js";
import { problem } from "../parts/actions.js";
import { h, setText } from "../parts/dom.js";

/**
 * A part of the account that is asked for when it comes into the page. What this server does not
 * offer is not shown.
 * @param {string} title
 * @param {HTMLElement} content
 * @param {() => Promise<void>} load fills the content
 */
export function section(title, content, load) {
  const failure = problem();
  const element = h("section", { "aria-busy": true }, h("h2", {}, title), content, failure);
  load()
    .catch((error) => {
      if (error.code === "not_offered") element.remove();
      else setText(failure, inWords(error));
    })
    .finally(() => element.setAttribute("aria-busy", "false"));
  return element;
}
