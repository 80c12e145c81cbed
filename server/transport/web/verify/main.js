import "../package/bls12_381.min.js"; // now, so that nothing is missing once there is no connection
import { QUICKNET, QUICKNET_KEY } from "../package/beacon.js";
import { isProof } from "../package/proof_schema.js";
import { h, setText } from "../parts/dom.js";
import { whoKnows } from "../parts/who_knows.js";
import { stepsOf } from "./steps.js";

const ANSWER_MS = 8000;
const MOST_BYTES = 20_000_000;
const LOBBY_ID = /^lobby_[\w-]+_[0-9a-f]{12}$/;

const config = JSON.parse(document.querySelector("meta[name=fair-bingo]").content);
const keys = { ...QUICKNET_KEY, ...config.beacon_keys };
const place = document.getElementById("steps");
const failure = document.getElementById("failure");
const idField = document.getElementById("id");

/** Show what `read` gives, a proof or the file of a game, or why that cannot be. */
async function show(read) {
  setText(failure, "");
  place.replaceChildren();
  try {
    const document_ = await read();
    const file = Array.isArray(document_?.log) ? document_ : null;
    const proof = file ? file.proof : document_;
    if (file && proof === null)
      throw new Error("This game was called off: it has no draw to check, and what was paid is owed back.");
    if (!isProof(proof)) throw new Error("This is no proof of a game, nor the file of one.");
    place.replaceChildren(...shown(await stepsOf(proof, file, keys), proof));
  } catch (error) {
    setText(failure, error instanceof SyntaxError ? "This is no JSON." : error.message);
  }
}

function shown(steps, proof) {
  const failed = steps.filter((step) => !step.holds).length;
  return [
    h("h2", {}, proof.lobby_id),
    h(
      "p",
      { class: "verdict", role: "status", "data-holds": failed === 0 },
      failed === 0
        ? "The draw was fair: every step holds."
        : `${failed} of ${steps.length} steps do not hold.`,
    ),
    isPrivate(proof.beacon) &&
      h(
        "p",
        {},
        "Its beacon is none that this page knows by itself, only this server names it: whoever signs it knows its values beforehand, and that may be the house.",
      ),
    h("ol", {}, ...steps.map(stepRow)),
    whoKnows(proof),
  ].filter(Boolean);
}

const isPrivate = (beacon) => beacon && beacon.chain_hash !== QUICKNET.chainHash;

const stepRow = ({ what, holds, values, otherwise }) =>
  h(
    "li",
    { class: holds ? "holds" : "fails" },
    h("b", { class: "tick" }, holds ? "Holds" : "Fails"),
    ` ${what}`,
    h(
      "dl",
      {},
      ...values.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))]),
    ),
    h("p", { class: "otherwise" }, "Had somebody cheated: ", otherwise),
  );

async function ofServer(lobbyId) {
  if (!LOBBY_ID.test(lobbyId)) throw new Error("This is not the id of a game.");
  const ask = (what) =>
    fetch(`/api/game/${lobbyId}/${what}`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const answer = await ask("record").catch(() => null);
  if (answer?.ok) return answer.json();
  const proof = await ask("proof").catch(() => null); // the record is kept for a shorter time
  if (proof?.ok) return proof.json();
  if (proof === null) throw new Error("The server does not answer. A file can be checked without it.");
  throw new Error("This server has no proof of that game: it is not over, was called off, or is gone.");
}

document.getElementById("file").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  show(async () => {
    if (file.size > MOST_BYTES) throw new Error("This file is too large to be of a game.");
    return JSON.parse(await file.text());
  });
});
document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const hash = `#${idField.value.trim()}`;
  if (location.hash === hash) look();
  else location.hash = hash;
});
addEventListener("hashchange", look);

function look() {
  const lobbyId = location.hash.slice(1);
  if (!lobbyId) return;
  idField.value = lobbyId;
  show(() => ofServer(lobbyId));
}

look();
