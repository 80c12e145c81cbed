import { alert, announce } from "./announcer.js";
import { t } from "../words/index.js";

/**
 * Say when the connection is lost, and when it is back.
 * @param {import("../package/connection.js").Connection} connection
 */
export function showConnection(connection) {
  const banner = document.getElementById("connection");
  connection.addEventListener("change", () => {
    if (banner.hidden === !connection.lost) return;
    banner.hidden = !connection.lost;
    if (connection.lost) alert(t("connection.lost"));
    else announce(t("connection.back"));
  });
}
