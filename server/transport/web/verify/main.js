import "../package/bls12_381.min.js"; // now, so that nothing is missing once there is no connection
import { QUICKNET_KEY } from "../package/beacon.js";
import { isProof } from "../package/proof_schema.js";
import { h, setText } from "../parts/dom.js";
import { showLanguages } from "../parts/languages.js";
import { around, t } from "../words/index.js";
import { isRecord } from "./record.js";
import { stepsOf } from "./steps.js";
import { verdict } from "./verdict.js";

const ANSWER_MS = 8000;
const MOST_BYTES = 20_000_000;
const LOBBY_ID = /^lobby_[\w-]+_[0-9a-f]{12}$/;

const config = JSON.parse(document.querySelector("meta[name=fair-bingo]").content);
const keys = { ...QUICKNET_KEY, ...config.beacon_keys };
const fileField = h("input", { type: "file", id: "file", accept: ".json,application/json", onchange: take });
const idField = h("input", {
  type: "text",
  id: "id",
  placeholder: "lobby_3500_1f9c2ab4d0e1",
  autocomplete: "off",
  autocapitalize: "none",
  spellcheck: "false",
});
const failure = h("p", { id: "failure", role: "alert", class: "problem" });
const steps = h("section", { id: "steps", "aria-live": "polite" });
/** What is looked at: a slow answer to an earlier question must not take its place. */
let asked = 0;
/** Where the value that is looked at comes from. */
let source = null;

/** Why there is nothing to check, in words. */
class NothingToCheck extends Error {
  constructor(key) {
    super(t(key));
  }
}

/** Show what `read` gives, a proof or the file of a game, or why that cannot be. */
async function show(read) {
  const mine = ++asked;
  source = read;
  setText(failure, "");
  steps.replaceChildren();
  try {
    const value = await read();
    if (mine === asked) source = () => value; // to be shown again it is not asked for again
    const shown = await checked(value);
    if (mine === asked) steps.replaceChildren(...shown);
  } catch (error) {
    if (mine === asked) setText(failure, error instanceof SyntaxError ? t("verify.noJson") : error.message);
  }
}

/** The check of a JSON value, to be shown. */
async function checked(value) {
  const file = isRecord(value) ? value : null;
  const proof = file ? file.proof : value;
  if (file && proof === null) throw new NothingToCheck("verify.calledOff");
  if (!isProof(proof)) throw new NothingToCheck("verify.noProof");
  return verdict(await stepsOf(proof, file, keys), proof);
}

async function ofServer(lobbyId) {
  if (!LOBBY_ID.test(lobbyId)) throw new NothingToCheck("verify.noId");
  const ask = (what) =>
    fetch(`/api/game/${lobbyId}/${what}`, { signal: AbortSignal.timeout(ANSWER_MS) });
  const answer = await ask("record").catch(() => null);
  if (answer?.ok) return answer.json();
  const proof = await ask("proof").catch(() => null); // the record is kept for a shorter time
  if (proof?.ok) return proof.json();
  throw new NothingToCheck(proof === null ? "verify.noServer" : "verify.notThere");
}

async function ofFile(file) {
  if (file.size > MOST_BYTES) throw new NothingToCheck("verify.tooLarge");
  return JSON.parse(await file.text());
}

function take() {
  const [file] = fileField.files;
  if (file) show(() => ofFile(file));
}

function ask(event) {
  event.preventDefault();
  const hash = `#${idField.value.trim()}`;
  if (location.hash === hash) look();
  else location.hash = hash;
}

function look() {
  const lobbyId = location.hash.slice(1);
  if (!lobbyId) return;
  idField.value = lobbyId;
  show(() => ofServer(lobbyId));
}

function draw() {
  const form = h(
    "form",
    { onsubmit: ask },
    h("label", {}, t("verify.file"), fileField),
    h("label", {}, t("verify.id"), idField),
    h("button", { type: "submit", class: "primary" }, t("verify.look")),
  );
  const command = h("code", {}, "fair-bingo verify");
  document.title = t("verify.document");
  document
    .querySelector("main")
    .replaceChildren(
      h("h1", {}, t("verify.title")),
      h("p", {}, t("verify.lead")),
      ...(crypto.subtle
        ? [form, failure, steps]
        : [h("p", { class: "problem" }, ...around("verify.unsafe", "command", command))]),
    );
}

draw();
showLanguages(() => {
  draw();
  if (source !== null) show(source);
});
if (crypto.subtle) {
  addEventListener("hashchange", look);
  look();
}
