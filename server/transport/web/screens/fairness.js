import { fromHex, sha256Hex } from "../package/draw.js";
import { checkProof } from "../package/proof.js";
import { h } from "../parts/dom.js";
import { rosette } from "../parts/rosette.js";
import { nameOfChain, whoKnows } from "../parts/who_knows.js";
import { around, t } from "../words/index.js";

/**
 * The proof of a game, checked in front of the player: the seal from before it next to the one that
 * the seed makes now, what was checked, and everything that it was checked with.
 * @param {object} proof
 * @param {import("../package/proof.js").Observations} observed
 */
export async function fairness(proof, observed) {
  const title = h("h2", { tabindex: -1 }, t("fair.title"));
  if (!crypto.subtle)
    return h(
      "section",
      { class: "fairness" },
      title,
      h(
        "p",
        {},
        t("fair.unsafe"),
      ),
      saving(proof),
    );
  const checks = await checkProof(proof, observed);
  const opened = await sha256Hex(fromHex(proof.server_seed));
  const failed = checks.filter((check) => !check.holds).length;
  return h(
    "section",
    { class: "fairness", "data-holds": failed === 0, "aria-label": t("fair.label") },
    title,
    h(
      "p",
      { class: "verdict", role: "status" },
      t(failed === 0 ? "fair.holds" : "fair.fails"),
    ),
    h(
      "div",
      { class: "seals" },
      sealed(t("fair.sealed"), observed.seedHash ?? proof.server_seed_hash),
      h("span", { class: "equals", "aria-hidden": "true" }, failed === 0 ? "=" : "≠"),
      sealed(t("fair.opened"), opened),
    ),
    h("ul", { class: "checks" }, ...checks.map(checkRow)),
    details(proof, observed),
    whoKnows(proof),
    saving(proof),
  );
}

const sealed = (caption, hash) => h("figure", {}, rosette(hash), h("figcaption", {}, caption));

const checkRow = ({ check, count, holds }) =>
  h(
    "li",
    { class: holds ? "holds" : "fails" },
    h("span", { class: "tick" }, t(holds ? "fair.checkHolds" : "fair.checkFails")),
    t(`check.${check}`, { count }),
  );

function details(proof, { seedHash }) {
  const order = proof.numbers_called.map((number) => h("li", {}, number));
  return h(
    "details",
    {},
    h("summary", {}, t("fair.details")),
    h(
      "dl",
      { class: "evidence" },
      h("dt", {}, t("fair.seed")),
      h("dd", {}, h("code", {}, proof.server_seed)),
      h("dt", {}, t("fair.hash")),
      h("dd", {}, h("code", {}, seedHash ?? proof.server_seed_hash)),
      h("dt", {}, t("fair.entropy")),
      h("dd", {}, h("code", {}, proof.entropy)),
      ...beaconEvidence(proof),
      h("dt", {}, t("fair.record")),
      h("dd", {}, h("code", {}, proof.log_hash)),
      h("dt", {}, t("fair.order")),
      h("dd", {}, h("ol", { class: "order" }, ...order)),
    ),
  );
}

function beaconEvidence({ beacon }) {
  if (!beacon) return [];
  return [
    h("dt", {}, t("fair.round", { round: String(beacon.round), chain: nameOfChain(beacon.chain_hash) })),
    h("dd", {}, h("code", {}, beacon.randomness ?? t("fair.noRound"))),
  ];
}

/** The proof as a file. */
function saving(proof) {
  const name = `proof-${proof.lobby_id}.json`;
  const link = h("a", { class: "button", download: name, href: "#" }, t("fair.save"));
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
    h("a", { href: `/verify#${proof.lobby_id}`, target: "_blank" }, t("fair.steps")),
    h("span", {}, ...around("fair.anywhere", "command", h("code", {}, `fair-bingo verify ${name}`))),
  );
}
