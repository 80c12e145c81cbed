import { h, set } from "./dom.js";
import { t } from "../words/index.js";

const PREFIX = "fair-bingo:signal:";
/** Calls that come all at once, after the page was away, are one signal. */
const APART_MS = 500;
const TONE_HZ = 660;
const TONE_S = 0.16;
const VIBRATION_MS = 60;

/**
 * What signals a call beside the page itself: a tone, a vibration. Both are off until the player
 * wants them, and what they want is remembered.
 */
export class Signals {
  #context = null;
  #lastAt = -Infinity;

  /** @param {import("../game/storage.js").SafeStorage} storage */
  constructor(storage) {
    this.storage = storage;
  }

  /** A number was called. */
  call() {
    if (performance.now() - this.#lastAt < APART_MS) return;
    this.#lastAt = performance.now();
    if (this.isOn("sound")) this.#tone();
    if (this.isOn("vibration")) navigator.vibrate?.(VIBRATION_MS);
  }

  isOn(name) {
    return this.storage.get(PREFIX + name) === "on";
  }

  /** The switches, as far as the device has what they switch. */
  switches() {
    const names = ["sound", "vibration"].filter((name) => name !== "vibration" || navigator.vibrate);
    return h(
      "div",
      { class: "switches", role: "group", "aria-label": t("signals.label") },
      ...names.map((name) => this.#switch(name)),
    );
  }

  #switch(name) {
    const button = h("button", { type: "button", class: "plain" }, t(`signals.${name}`));
    const show = () => set(button, "aria-pressed", this.isOn(name));
    button.addEventListener("click", () => {
      this.storage.set(PREFIX + name, this.isOn(name) ? "off" : "on");
      this.#lastAt = -Infinity;
      if (this.isOn(name)) this.call(); // as it will be
      show();
    });
    show();
    return button;
  }

  /** A browser lets a page sound only after the player has touched it. */
  #tone() {
    if (navigator.userActivation?.hasBeenActive === false) return;
    this.#context ??= new AudioContext();
    this.#context.resume().catch(() => {});
    const now = this.#context.currentTime;
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.gain.linearRampToValueAtTime(0.2, now + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.001, now + TONE_S);
    const tone = new OscillatorNode(this.#context, { frequency: TONE_HZ });
    tone.connect(gain).connect(this.#context.destination);
    tone.start(now);
    tone.stop(now + TONE_S);
  }
}
