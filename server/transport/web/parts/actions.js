import { inWords } from "../connection/refusal.js";
import { h, setText } from "./dom.js";

/** There is nothing to give up any more. */
const GONE_ALREADY = ["not_seated", "not_active"];

/** Where a stage says what went wrong. */
export const problem = () => h("p", { role: "alert", class: "problem" });

/**
 * Do something on a press, once at a time, and say in `failure` why if it fails.
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} failure
 * @param {() => Promise<void>} action
 */
export function busy(button, failure, action) {
  button.addEventListener("click", async () => {
    if (button.dataset.busy === "true") return;
    button.dataset.busy = "true";
    setText(failure, "");
    try {
      await action();
    } catch (error) {
      setText(failure, inWords(error));
    } finally {
      button.dataset.busy = "false";
    }
  });
}

/** A button that gives up the seat and goes back to the front desk. */
export function leaveButton(room, game, text) {
  const failure = problem();
  const button = h("button", { type: "button", class: "plain" }, text);
  busy(button, failure, async () => {
    try {
      await room.leave();
    } catch (refusal) {
      if (!GONE_ALREADY.includes(refusal.code)) throw refusal;
    }
    game.home();
  });
  return h("span", {}, button, failure);
}
