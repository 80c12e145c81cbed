import { h, setText } from "./dom.js";
import { t } from "../words/index.js";

const ARMED_MS = 4000;

/**
 * Claim with two presses of one button. The second is the confirmation: in the same place, at any
 * speed, by the same key. Left alone, or by Escape, it is an ordinary button again.
 * @param {() => Promise<void>} claim
 */
export function claimButton(claim) {
  let timer = 0;
  const label = h("strong", {});
  const hint = h("small", {});
  const element = h("button", { type: "button", class: "primary claim" }, label, hint);
  const calm = () => {
    clearTimeout(timer);
    element.classList.remove("armed");
    setText(label, t("claim.button"));
    setText(hint, t("claim.hint"));
  };
  const arm = () => {
    element.classList.add("armed");
    setText(label, t("claim.again"));
    setText(hint, t("claim.warning"));
    timer = setTimeout(calm, ARMED_MS);
  };
  let claiming = false;
  const send = async () => {
    claiming = true;
    calm();
    setText(label, t("claim.claiming"));
    await claim().finally(() => (claiming = false));
    calm();
  };
  element.addEventListener("click", () => {
    if (claiming) return;
    if (element.classList.contains("armed")) send();
    else arm();
  });
  element.addEventListener("keydown", (event) => event.key === "Escape" && !claiming && calm());
  element.addEventListener("blur", () => claiming || calm());
  calm();
  return { element, close: () => clearTimeout(timer) };
}
