import { fromHex, sha256Hex } from "../package/draw.js";
import { checkProof } from "../package/proof.js";
import { h } from "../parts/dom.js";
import { rosette } from "../parts/rosette.js";
import { nameOfChain, whoKnows } from "../parts/who_knows.js";

/**
 * The proof of a game, checked in front of the player: the seal from before it next to the one that
 * the seed makes now, what was checked, and everything that it was checked with.
 * @param {object} proof
 * @param {import("../package/proof.js").Observations} observed
 */
export async function fairness(proof, observed) {
  const title = h("h2", { tabindex: -1 }, "Was it fair?");
  if (!crypto.subtle)
    return h(
      "section",
      { class: "fairness" },
      title,
      h(
        "p",
        {},
        "This page came over an unsafe connection, on which browsers do not calculate hashes. Save the proof and check it yourself.",
      ),
      saving(proof),
    );
  const checks = await checkProof(proof, observed);
  const opened = await sha256Hex(fromHex(proof.server_seed));
  const failed = checks.filter((check) => !check.holds).length;
  return h(
    "section",
    { class: "fairness", "data-holds": failed === 0, "aria-label": "The proof of the draw" },
    title,
    h(
      "p",
      { class: "verdict", role: "status" },
      failed === 0 ? "The seal fits. Every check holds." : "Something is wrong with this draw.",
    ),
    h(
      "div",
      { class: "seals" },
      sealed("Sealed before the game", observed.seedHash ?? proof.server_seed_hash),
      h("span", { class: "equals", "aria-hidden": "true" }, failed === 0 ? "=" : "≠"),
      sealed("Made from the seed now", opened),
    ),
    h("ul", { class: "checks" }, ...checks.map(checkRow)),
    details(proof, observed),
    whoKnows(proof),
    saving(proof),
  );
}

const sealed = (caption, hash) => h("figure", {}, rosette(hash), h("figcaption", {}, caption));

/** What each check says. */
const WORDS = {
  seed: () => "The seed opens the seal that was shown before the game",
  tickets: () => "Every ticket is complete and is part of the draw",
  beacon: () => "The public beacon has signed its value, under the key that this page knows",
  order: () => "The numbers follow from the seed, the tickets and, if there is one, the beacon",
  arranged: () => "Tickets arranged by the house follow from the seed",
  winner: () => "The winner’s line was called in full",
  no_winner: () => "Nobody is named as the winner",
  whole: () => "The record of the game is sealed, and the proof is whole",
  own_seed: () => "Your own random seed is part of the draw",
  own_ticket: () => "Your ticket is the one you held",
  heard: (count) => `The ${count} numbers you heard are these`,
};

const checkRow = ({ check, count, holds }) =>
  h(
    "li",
    { class: holds ? "holds" : "fails" },
    h("span", { class: "tick" }, holds ? "Holds" : "Fails"),
    WORDS[check](count),
  );

function details(proof, { seedHash }) {
  const order = proof.numbers_called.map((number) => h("li", {}, number));
  return h(
    "details",
    {},
    h("summary", {}, "The seed, its hash, and the order of the numbers"),
    h(
      "dl",
      { class: "evidence" },
      h("dt", {}, "Seed"),
      h("dd", {}, h("code", {}, proof.server_seed)),
      h("dt", {}, "Its hash, shown before the game"),
      h("dd", {}, h("code", {}, seedHash ?? proof.server_seed_hash)),
      h("dt", {}, "Entropy of all tickets and seeds"),
      h("dd", {}, h("code", {}, proof.entropy)),
      ...beaconEvidence(proof),
      h("dt", {}, "Hash of the game’s record"),
      h("dd", {}, h("code", {}, proof.log_hash)),
      h("dt", {}, "The numbers in their order"),
      h("dd", {}, h("ol", { class: "order" }, ...order)),
    ),
  );
}

function beaconEvidence({ beacon }) {
  if (!beacon) return [];
  return [
    h("dt", {}, `Round ${beacon.round} of the beacon ${nameOfChain(beacon.chain_hash)}`),
    h("dd", {}, h("code", {}, beacon.randomness ?? "it was not there before the end")),
  ];
}

/** The proof as a file. */
function saving(proof) {
  const name = `proof-${proof.lobby_id}.json`;
  const link = h("a", { class: "button", download: name, href: "#" }, "Save the proof");
  link.addEventListener("click", () => {
    const url = URL.createObjectURL(
      new Blob([JSON.stringify(proof)], { type: "application/json" }),
    );
    link.href = url;
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  });
  return h(
    "p",
    { class: "saving" },
    link,
    h("a", { href: `/verify#${proof.lobby_id}`, target: "_blank" }, "See each step of the check"),
    h("span", {}, "Check it anywhere with ", h("code", {}, `fair-bingo verify ${name}`)),
  );
}
