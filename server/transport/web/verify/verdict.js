import { QUICKNET } from "../package/beacon.js";
import { h } from "../parts/dom.js";
import { whoKnows } from "../parts/who_knows.js";
import { t } from "../words/index.js";

/**
 * What the check of a proof has found, to be shown.
 * @param {import("./steps.js").Step[]} steps
 * @param {object} proof
 * @returns {Node[]}
 */
export function verdict(steps, proof) {
  const failed = steps.filter((step) => !step.holds).length;
  return [
    h("h2", {}, proof.lobby_id),
    h(
      "p",
      { class: "verdict", role: "status", "data-holds": failed === 0 },
      failed === 0 ? t("verify.holds") : t("verify.fails", { count: failed, all: steps.length }),
    ),
    isPrivate(proof.beacon) && h("p", {}, t("verify.private")),
    h("ol", {}, ...steps.map(stepRow)),
    whoKnows(proof),
  ].filter(Boolean);
}

const isPrivate = (beacon) => beacon && beacon.chain_hash !== QUICKNET.chainHash;

const stepRow = ({ what, holds, values, otherwise }) =>
  h(
    "li",
    { class: holds ? "holds" : "fails" },
    h("h3", {}, h("span", { class: "tick" }, t(holds ? "fair.checkHolds" : "fair.checkFails")), what),
    h(
      "dl",
      {},
      ...values.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))]),
    ),
    h("p", { class: "otherwise" }, h("b", {}, t("verify.cheated")), " ", otherwise),
  );
