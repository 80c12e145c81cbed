import { h } from "../parts/dom.js";
import { moment } from "../words/index.js";
import { ask } from "./api.js";

const MOST = 100;

/** The operators' log, the latest first, and whether it holds. */
export function operatorLog() {
  const place = h("div", {});
  const element = h("section", {}, h("h2", {}, "What operators did"), place);
  const refresh = async () => {
    const { entries, intact, problems } = await ask("log");
    place.replaceChildren(
      intact
        ? h("p", { class: "hint" }, "The log holds: nobody has altered it.")
        : h("p", { role: "alert", class: "problem" }, `The log does not hold. ${problems.join(". ")}.`),
      ...(entries.length > 0 ? [table(entries.slice(-MOST).reverse())] : []),
    );
  };
  return { element, refresh };
}

const table = (entries) =>
  h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "What operators did" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h("tr", {}, ...["When", "Who", "What", "On whom", "Why"].map((word) => h("th", { scope: "col" }, word))),
      ),
      h("tbody", {}, ...entries.map(row)),
    ),
  );

const row = ({ at, operator, action, target, reason }) =>
  h(
    "tr",
    {},
    h("th", { scope: "row" }, moment(at)),
    ...[operator, action, target, reason].map((text) => h("td", {}, text)),
  );
