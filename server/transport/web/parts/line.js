import { alert, announce } from "./announcer.js";

/**
 * Say when the connection is lost, and when it is back.
 * @param {import("../connection/connection.js").Connection} line
 */
export function showLine(line) {
  const banner = document.getElementById("line");
  line.addEventListener("change", () => {
    if (banner.hidden === !line.lost) return;
    banner.hidden = !line.lost;
    if (line.lost) alert("Connection lost. It comes back by itself.");
    else announce("Connected again.");
  });
}
