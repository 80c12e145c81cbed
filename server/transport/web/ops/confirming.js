import { h, setText } from "../parts/dom.js";

/**
 * A dialog that says what an action leads to, asks for what it needs, and does it.
 * @param {object} action
 * @param {string} action.title
 * @param {string} action.effect what it leads to, in words
 * @param {string} action.button
 * @param {Record<string, {label: string, type?: string, optional?: boolean, options?: string[]}>} action.fields
 * @param {(values: Record<string, string>) => Promise<void>} action.perform
 */
export function confirm({ title, effect, button, fields, perform }) {
  const failure = h("p", { role: "alert", class: "problem" });
  const inputs = Object.entries(fields).map(([name, field]) => [name, control(name, field)]);
  const submit = h("button", { class: "primary" }, button);
  const cancel = h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "confirming" },
    h(
      "form",
      { onsubmit: send },
      h("h2", { id: "confirming" }, title),
      h("p", { class: "effect" }, effect),
      ...inputs.map(([name, input]) => h("label", {}, h("span", {}, fields[name].label), input)),
      failure,
      h("div", { class: "actions" }, submit, cancel),
    ),
  );
  async function send(event) {
    event.preventDefault();
    submit.disabled = true;
    setText(failure, "");
    try {
      await perform(Object.fromEntries(inputs.map(([name, input]) => [name, input.value.trim()])));
      dialog.close();
    } catch (error) {
      setText(failure, error.message);
    } finally {
      submit.disabled = false;
    }
  }
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

function control(name, { type = "text", optional = false, options }) {
  const attributes = { name, required: !optional };
  if (options) return h("select", attributes, ...options.map((word) => h("option", {}, word)));
  return h("input", { ...attributes, type, maxlength: 500, autocomplete: "off" });
}

/** The end that was given in a field, in Unix ms; null for none. */
export const untilOf = (value) => (value ? new Date(value).getTime() : null);
