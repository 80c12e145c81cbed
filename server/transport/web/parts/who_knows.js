import { QUICKNET } from "../package/beacon.js";
import { t } from "../words/index.js";
import { h } from "./dom.js";

/** What a player would call the chain. */
export const nameOfChain = (chainHash) =>
  chainHash === QUICKNET.chainHash
    ? t("who.quicknet")
    : t("who.otherChain", { hash: chainHash.slice(0, 12) });

const MOMENTS = ["who.before", "who.fixed", "who.start", "who.during", "who.after"];
/** Who, and what they know at each moment. */
const WITH_BEACON = [
  ["who.everyone", "who.seal", "who.unchangeable", "who.round", "who.called", "who.all"],
  ["who.house", "who.seedOnly", "who.seedAndTickets", "who.notYet", "who.valueOut", "who.all"],
  ["who.signer", "who.neither", "who.neither", "who.valueOnly", "who.noSeed", "who.all"],
];
const WITHOUT_BEACON = [
  ["who.everyone", "who.seal", "who.unchangeable", "who.orderFixed", "who.called", "who.all"],
  ["who.house", "who.seedOnly", "who.orderOrLast", "who.order", "who.order", "who.all"],
];

/**
 * Who could know what at which moment of a game, in plain words.
 * @param {{beacon?: object}} proof
 */
export function whoKnows({ beacon }) {
  const rows = beacon ? WITH_BEACON : WITHOUT_BEACON;
  return h(
    "details",
    {},
    h("summary", {}, t("who.title")),
    h(
      "p",
      {},
      beacon
        ? t("who.withBeacon")
        : t("who.withoutBeacon"),
    ),
    h(
      "div",
      { class: "who-knows", role: "region", "aria-label": t("who.label"), tabindex: 0 },
      h(
        "table",
        {},
        h("tr", {}, h("td"), ...MOMENTS.map((moment) => h("th", { scope: "col" }, t(moment)))),
        ...rows.map(([who, ...what]) =>
          h("tr", {}, h("th", { scope: "row" }, t(who)), ...what.map((words) => h("td", {}, t(words)))),
        ),
      ),
    ),
    h(
      "p",
      {},
      t("who.remains"),
    ),
  );
}
