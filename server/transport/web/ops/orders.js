import { h } from "../parts/dom.js";
import { date } from "../words/index.js";
import { ask } from "./api.js";

/**
 * What holds for everybody: announcements, tiers that are closed, who is banned.
 * @param {ReturnType<import("./actions.js").actionsOf>} actions
 * @param {() => number[]} tiers the buy-ins that there are
 */
export function orders(actions, tiers) {
  const place = h("div", { class: "orders" });
  const element = h("section", {}, h("h2", {}, "For everybody"), place);
  const refresh = async () => {
    const { closed, banned, announcements } = await ask("orders");
    const all = [...new Set([...tiers(), ...closed])].sort((one, other) => one - other);
    const names = Object.keys(banned);
    place.replaceChildren(
      ...announcements.map(({ text, until }) =>
        h("p", {}, `Announced until ${date(until)}: “${text}”`),
      ),
      h(
        "div",
        { class: "actions" },
        actions.announce(),
        ...all.map((tier) => (closed.includes(tier) ? actions.open(tier) : actions.close(tier))),
      ),
      h("p", { class: "hint" }, names.length ? `Banned: ${names.join(", ")}` : "Nobody is banned."),
    );
  };
  return { element, refresh };
}
