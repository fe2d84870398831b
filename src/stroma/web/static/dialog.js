// The one dialog of the page: a title, what it is about, and a button that closes it.

import { byId, el, fill, icon } from "./dom.js";

/**
 * Open the dialog; Escape closes it.
 * @param {string} title
 * @param {...Node} children
 */
export function openDialog(title, ...children) {
  const dialog = theDialog();
  const close = el(
    "button",
    { class: "flat", type: "button", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const heading = el("h2", { text: title, id: "dialog-title" }, close);
  fill(dialog, el("div", {}, heading, ...children));
  dialog.showModal();
}

/**
 * Ask before something is done that cannot be undone.
 * @param {string} title
 * @param {{lines: string[], yes: string, kind?: string}} words what it means, line by line, and the button's
 *   text and look
 * @returns {Promise<boolean>}
 */
export function confirmed(title, { lines, yes, kind = "danger" }) {
  const dialog = theDialog();
  return new Promise((resolve) => {
    let answer = false;
    const choose = (/** @type {boolean} */ value) => () => {
      answer = value;
      dialog.close();
    };
    dialog.addEventListener("close", () => resolve(answer), { once: true });
    const no = el("button", { type: "button", text: "Cancel", autofocus: true, onclick: choose(false) });
    const go = el("button", { class: kind, type: "button", id: "confirm", text: yes, onclick: choose(true) });
    openDialog(title, ...lines.map((text) => el("p", { text })), el("div", { class: "answers" }, no, go));
    no.focus();
  });
}

/** @returns {HTMLDialogElement} */
export function theDialog() {
  return /** @type {HTMLDialogElement} */ (byId("dialog"));
}
