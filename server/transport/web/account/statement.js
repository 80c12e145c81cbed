import { busy, problem } from "../parts/actions.js";
import { coins, h } from "../parts/dom.js";
import { date, t } from "../words/index.js";
import { section } from "./section.js";

const DAYS = 30;
const DAY_MS = 86_400_000;

/** What a player paid, was paid and is owed in the last 30 days, and the whole as a file. */
export function statement(account) {
  const sums = h("dl", { class: "facts" });
  const rows = h("tbody", {});
  const failure = problem();
  const from = new Date(Date.now() - DAYS * DAY_MS).toISOString();
  const save = h("button", { type: "button", class: "plain" }, t("statement.save"));
  busy(save, failure, async () => {
    const url = URL.createObjectURL(await account.statementFile(new Date(0).toISOString()));
    h("a", { href: url, download: "statement.csv" }).click();
    URL.revokeObjectURL(url);
  });
  const content = h(
    "div",
    {},
    sums,
    h(
      "details",
      {},
      h("summary", {}, t("statement.entries")),
      h("table", { class: "statement" }, h("thead", {}, h("tr", {}, ...heads())), rows),
    ),
    save,
    failure,
  );
  return section(t("statement.title"), content, async () => {
    const found = await account.statement(from);
    sums.replaceChildren(
      ...["paid_in", "paid_out", "owed"].map((name) =>
        h("div", {}, h("dt", {}, t(`statement.${name}`)), h("dd", {}, coins(found.sums[name]))),
      ),
    );
    rows.replaceChildren(...found.entries.map(row));
  });
}

const heads = () =>
  ["at", "kind", "amount"].map((name) => h("th", { scope: "col" }, t(`statement.${name}`)));

const row = ({ at, kind, amount, reference }) =>
  h(
    "tr",
    {},
    h("td", {}, date(at)),
    h("td", {}, t(`statement.${kind}`), reference && h("span", { class: "hint" }, " ", reference)),
    h("td", { class: "amount" }, coins(amount)),
  );
