/**
 * What is said to those who do not see it. The two regions are in the page from the start: readers
 * do not announce one that comes with its text.
 */

/** Say it when the reader has finished its sentence. */
export const announce = (text) => say("polite", text);

/** Say it at once. */
export const alert = (text) => say("assertive", text);

function say(region, text) {
  const element = document.getElementById(region);
  const line = document.createElement("p");
  line.textContent = text;
  element.replaceChildren(line);
}
