import { announce } from "./announcer.js";
import { h } from "./dom.js";
import { t } from "../words/index.js";

/**
 * A button that hands a friend the way to this lobby: to share it where the device can, or else to
 * paste it.
 * @param {string} lobbyId
 */
export function inviteButton(lobbyId) {
  const url = new URL(`/#${lobbyId}`, location.href).href;
  const place = h("span", { class: "invite" });
  const button = h("button", { type: "button", class: "plain" }, t("invite.button"));
  button.addEventListener("click", async () => {
    try {
      await give(url);
      if (!navigator.share) say(place, t("invite.copied"));
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(link(url)); // nobody shared it after all
    }
  });
  return h("div", { class: "inviting" }, button, place);
}

const give = (url) =>
  navigator.share
    ? navigator.share({ title: "Fair Bingo", text: t("invite.text"), url })
    : navigator.clipboard.writeText(url);

function say(place, text) {
  place.replaceChildren(text);
  announce(text);
}

/** The link itself, to be copied by hand. */
const link = (url) =>
  h("input", { readonly: true, value: url, "aria-label": t("invite.link") });
