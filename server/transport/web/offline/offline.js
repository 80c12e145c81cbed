import { t } from "../words/index.js";

const LOOK_AGAIN_MS = 5000;

/** The same place again, as soon as the server answers. */
async function lookAgain() {
  try {
    const answer = await fetch("/health/live", { method: "HEAD", cache: "no-store" });
    if (answer.ok) return location.reload();
  } catch {
    // not yet
  }
  setTimeout(lookAgain, LOOK_AGAIN_MS);
}

document.title = t("offline.document");
for (const id of ["title", "text", "again"])
  document.getElementById(id).textContent = t(`offline.${id}`);
document.getElementById("again").addEventListener("click", (event) => {
  event.preventDefault();
  location.reload();
});
addEventListener("online", () => location.reload());
setTimeout(lookAgain, LOOK_AGAIN_MS);
