import { busy, problem } from "../parts/actions.js";
import { coins, h, setText } from "../parts/dom.js";
import { date, t } from "../words/index.js";
import { section } from "./section.js";

const PERIODS = ["day", "week", "month"];
const BREAKS_DAYS = [1, 7, 30, 180];

/** What a player lets themselves pay in, and the break that they may take. */
export function limits(account) {
  const inputs = Object.fromEntries(PERIODS.map((period) => [period, amountField(period)]));
  const spent = Object.fromEntries(PERIODS.map((period) => [period, h("p", { class: "hint" })]));
  const news = h("p", { role: "status", class: "hint" });
  const failure = problem();
  const show = (found, quiet = "") => {
    for (const period of PERIODS) {
      inputs[period].value = found[`coins_per_${period}`] ?? "";
      inputs[period].disabled = false;
      setText(spent[period], t(`limits.spent_${period}`, { coins: coins(found.spent[period]) }));
    }
    save.disabled = false;
    setText(news, newsOf(found) ?? quiet);
  };
  // Until it is known what the limits are, nobody types over them or takes them away unseen.
  const save = h("button", { type: "submit", disabled: true }, t("limits.save"));
  const form = h(
    "form",
    { class: "limits", onsubmit: (event) => event.preventDefault() },
    ...PERIODS.map((period) =>
      h("label", {}, t(`limits.${period}`), inputs[period], spent[period]),
    ),
    save,
  );
  busy(save, failure, async () => {
    if (form.reportValidity()) show(await account.setLimits(wantedOf(inputs)), t("limits.saved"));
  });
  const content = h(
    "div",
    { class: "own-limits" },
    h("p", { class: "lead" }, t("limits.lead")),
    form,
    news,
    h("p", { class: "lead" }, t("limits.breakLead")),
    breaks(account, failure, show),
    failure,
  );
  return section(t("limits.title"), content, async () => show(await account.limits()));
}

const amountField = (period) =>
  h("input", {
    type: "number",
    name: `coins_per_${period}`,
    disabled: true,
    min: 0,
    step: 1,
    inputmode: "numeric",
    placeholder: t("limits.none"),
  });

const wantedOf = (inputs) =>
  Object.fromEntries(
    PERIODS.map((period) => [
      `coins_per_${period}`,
      inputs[period].value === "" ? null : Number(inputs[period].value),
    ]),
  );

function newsOf({ pending, excluded_until }) {
  if (excluded_until) return t("limits.excluded", { until: date(excluded_until) });
  return pending ? t("limits.pending", { from: date(pending.from) }) : null;
}

/** The buttons that begin a break, each of which asks once more: it cannot be undone. */
function breaks(account, failure, show) {
  const dialog = h("dialog", { "aria-labelledby": "break-question" });
  const question = h("p", { id: "break-question" });
  const take = h("button", { type: "button", class: "primary" }, t("limits.breakTake"));
  const cancel = h("button", { type: "button", class: "plain" }, t("limits.breakCancel"));
  dialog.append(question, h("div", { class: "actions" }, take, cancel));
  cancel.addEventListener("click", () => dialog.close());
  let chosen = 0;
  busy(take, failure, async () => {
    dialog.close();
    show(await account.exclude(chosen));
  });
  const buttons = BREAKS_DAYS.map((days) =>
    h(
      "button",
      {
        type: "button",
        onclick: () => {
          chosen = days;
          setText(question, t("limits.breakQuestion", { count: days }));
          dialog.showModal();
        },
      },
      t("limits.break", { count: days }),
    ),
  );
  return h("div", { class: "actions breaks" }, ...buttons, dialog);
}
