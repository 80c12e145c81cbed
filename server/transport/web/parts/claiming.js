import { h, setText } from "./dom.js";

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
    setText(label, "Claim");
    setText(hint, "a full row, column or diagonal");
  };
  const arm = () => {
    element.classList.add("armed");
    setText(label, "Press again to claim");
    setText(hint, "a false claim puts you out");
    timer = setTimeout(calm, ARMED_MS);
  };
  let claiming = false;
  const send = async () => {
    claiming = true;
    calm();
    setText(label, "Claiming …");
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
