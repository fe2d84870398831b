// What the user must know, where the user looks: over the image.

import { byId, el, icon } from "./dom.js";

const SECONDS = 8;

/**
 * Show a notice; one that says the same replaces the one before.
 * @param {string} text
 * @param {"bad" | "good" | "plain"} [kind] bad ones stay until they are closed
 * @param {Node} [more] a link or button
 */
export function notice(text, kind = "plain", more) {
  const shown = byId("notices");
  forget(text);
  const made = el(
    "div",
    { class: `notice ${kind}`, "data-text": text },
    kind === "bad" && icon("warning"),
    el("p", { text }),
    more,
    el("button", { class: "flat", type: "button", "aria-label": "Close", onclick: () => made.remove() }, icon("close")),
  );
  shown.append(made);
  while (shown.children.length > 3) shown.firstElementChild?.remove();
  if (kind !== "bad") setTimeout(() => made.remove(), SECONDS * 1000);
}

/**
 * Take a notice away that does not hold any more.
 * @param {string} text
 */
export function forget(text) {
  for (const old of [...byId("notices").children]) {
    if (/** @type {HTMLElement} */ (old).dataset.text === text) old.remove();
  }
}

/**
 * Show the reason why a promise was not kept.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T | undefined>} undefined where it was not kept
 */
export async function orNotice(promise) {
  try {
    return await promise;
  } catch (error) {
    notice(error instanceof Error ? error.message : String(error), "bad");
    return undefined;
  }
}
