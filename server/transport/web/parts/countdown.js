import { h, setText } from "./dom.js";

const TICK_MS = 200;
const URGENT_S = 10;

/** @type {Set<() => boolean>} each says whether it is still needed */
const running = new Set();

setInterval(() => running.forEach((tick) => tick() || running.delete(tick)), TICK_MS);

/**
 * The time left until a deadline, on the server's clock. It stops by itself when it leaves the
 * page.
 * @param {import("../package/clock.js").ServerClock} clock
 * @param {() => number | null} deadline in Unix ms
 * @returns {HTMLElement}
 */
export function countdown(clock, deadline) {
  const element = h("span", { class: "countdown", role: "timer" });
  let wasShown = false;
  const tick = () => {
    const at = deadline();
    const seconds = at === null ? null : Math.max(0, Math.ceil((at - clock.now()) / 1000));
    setText(element, seconds === null ? "–:––" : clockFace(seconds));
    element.classList.toggle("urgent", seconds !== null && seconds <= URGENT_S);
    wasShown ||= element.isConnected;
    return element.isConnected || !wasShown;
  };
  tick();
  running.add(tick);
  return element;
}

const clockFace = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
