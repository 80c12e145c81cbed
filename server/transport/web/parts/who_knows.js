import { QUICKNET } from "../package/beacon.js";
import { h } from "./dom.js";

/** What a player would call the chain. */
export const nameOfChain = (chainHash) =>
  chainHash === QUICKNET.chainHash
    ? "quicknet, which the League of Entropy runs in public"
    : `${chainHash.slice(0, 12)}…, a chain that only this server names`;

const MOMENTS = ["Before the first payment", "Every ticket fixed", "The start", "During the game", "After it"];
const EVERYONE = [
  "the seal of the seed",
  "that nothing can be changed any more",
  "the round that decides",
  "the numbers called",
  "all of it",
];
const WITH_BEACON = [
  ["Everyone, you too", ...EVERYONE],
  [
    "The house",
    "its seed, no ticket",
    "its seed and the tickets, not the order",
    "not the order: nobody has the beacon’s value yet",
    "the order, once the value is out",
    "all of it",
  ],
  [
    "Who signs the beacon",
    "neither seed nor tickets",
    "neither seed nor tickets",
    "the value at its time, but not the seed",
    "not the seed",
    "all of it",
  ],
];
const WITHOUT_BEACON = [
  ["Everyone, you too", ...EVERYONE.map((words, i) => (i === 2 ? "that the order is fixed" : words))],
  [
    "The house",
    "its seed, no ticket",
    "the order; if it also plays, it may have chosen its own ticket last",
    "the order",
    "the order",
    "all of it",
  ],
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
    h("summary", {}, "Who could know what, and when"),
    h(
      "p",
      {},
      beacon
        ? "The house sealed its seed before anyone paid. Then the tickets were fixed. Then a public beacon gave a value that nobody could know before. The order follows from all three, so nobody could choose it, not even the house."
        : "The house sealed its seed before anyone paid, and the tickets were fixed after that. The order follows from both. This server used no public beacon: a house that also plays could have chosen its own ticket last.",
    ),
    h(
      "div",
      { class: "who-knows", role: "region", "aria-label": "Who could know what", tabindex: 0 },
      h(
        "table",
        {},
        h("tr", {}, h("td"), ...MOMENTS.map((moment) => h("th", { scope: "col" }, moment))),
        ...rows.map(([who, ...what]) =>
          h("tr", {}, h("th", { scope: "row" }, who), ...what.map((words) => h("td", {}, words))),
        ),
      ),
    ),
    h(
      "p",
      {},
      "What remains: whoever can read the house’s store during a game knows which numbers come. That wins no game that the ticket does not win.",
    ),
  );
}
