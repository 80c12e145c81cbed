import { coins, h, setText } from "../parts/dom.js";
import { ask } from "./api.js";

const MOST = 50;
/** What a payout may be, with what can be done about it. */
const STATUSES = {
  held: { words: "waits for approval", may: ["approve", "refuse"] },
  refused: { words: "refused", may: ["retry"] },
  unknown: { words: "not known whether it was paid", may: ["retry", "refuse"] },
  due: { words: "to be sent", may: ["retry", "refuse"] },
  sending: { words: "being sent", may: [] },
  sent: { words: "taken by the payment service", may: ["retry"] },
  settled: { words: "paid", may: [] },
};

/**
 * Payouts by how far they are, with what the operator may do about each and about all.
 * @param {ReturnType<import("./actions.js").actionsOf>} actions
 * @param {() => {paused: string | null, due: number} | null} overview why payouts pause, in words, if
 *   they do, and how many are due; null where no server has reported any, as without books
 */
export function payouts(actions, overview) {
  const failure = h("p", { role: "alert", class: "problem" });
  const state = h("p", { class: "hint" });
  const due = () => overview()?.due ?? 0;
  const brakes = h("div", { class: "actions" }, actions.pause(), actions.resume(due));
  const list = h("ul", { class: "rows", "aria-label": "Payouts" });
  const more = h("button", { type: "button", class: "plain", onclick: () => show(last) }, "The next ones");
  const chosen = h(
    "select",
    { id: "payout-status", onchange: () => show("") },
    ...Object.entries(STATUSES).map(([status, { words }]) => h("option", { value: status }, `${status}: ${words}`)),
  );
  let last = "";
  const show = async (after) => {
    setText(failure, "");
    try {
      const found = await ask("payouts/list", { status: chosen.value, after });
      const shown = found.payouts.slice(0, MOST);
      last = shown.at(-1)?.payout_id ?? "";
      more.hidden = found.payouts.length <= MOST;
      list.replaceChildren(
        ...(shown.length ? shown.map((payout) => row(payout, actions)) : [h("li", { class: "hint" }, "None.")]),
      );
    } catch (error) {
      list.replaceChildren();
      more.hidden = true;
      setText(failure, error.message);
    }
  };
  const element = h(
    "section",
    {},
    h("h2", {}, "Payouts"),
    state,
    brakes,
    h(
      "div",
      { class: "actions" },
      h("label", { for: "payout-status" }, "How far they are"),
      chosen,
      h("button", { type: "button", onclick: () => show("") }, "Look again"),
    ),
    failure,
    list,
    more,
  );
  const showState = ({ paused }) =>
    setText(state, paused === null ? "Payouts go on." : `Payouts pause: ${paused}.`);
  const refresh = () => {
    const found = overview();
    element.hidden = found === null;
    if (found === null) return Promise.resolve();
    showState(found);
    return show("");
  };
  /** There are new figures. The list stays: somebody may be at work in it. */
  const follow = () => {
    const found = overview();
    if (found === null) return;
    if (element.hidden) refresh();
    else showState(found);
  };
  return { element, refresh, follow };
}

/** A payout in words, with what can be done about it. */
export function row(payout, actions) {
  const { payout_id, alien_id, amount, status, reference, reason, approved_by } = payout;
  const { words, may } = STATUSES[status] ?? { words: status, may: [] };
  return h(
    "li",
    {},
    h("span", {}, `${coins(amount)} coins to ${alien_id}`),
    h("small", {}, payout_id),
    h(
      "span",
      {},
      [
        words,
        reference && `reference ${reference}`,
        reason,
        approved_by.length > 0 && `approved by ${approved_by.join(", ")}`,
      ]
        .filter(Boolean)
        .join(", "),
    ),
    ...may.map((name) => actions[name](payout)),
  );
}
