// The few kinds of controls that the panels are made of.

import { el } from "./dom.js";

/**
 * A group with a title.
 * @param {string} title
 * @param {...(Node | string)} children
 */
export function group(title, ...children) {
  return el("section", { class: "group", "aria-label": title }, el("h2", { text: title }), ...children);
}

/**
 * Buttons of which one is chosen.
 * @param {string} title for people who do not see it
 * @param {Record<string, string>} choices name and title
 * @param {(name: string) => void} choose
 */
export function segmented(title, choices, choose) {
  const buttons = Object.entries(choices).map(([name, text]) =>
    el("button", { type: "button", "data-name": name, text, onclick: () => choose(name) }),
  );
  const made = el("div", { class: "segmented", role: "group", "aria-label": title }, ...buttons);
  const show = (/** @type {string} */ name) => {
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.name === name));
    }
  };
  return { made, show };
}

/**
 * A slider with its value.
 * @param {object} options
 * @param {string} options.title
 * @param {number} options.low
 * @param {number} options.high
 * @param {number} options.step
 * @param {(value: number) => void} options.change called while it moves
 * @param {(value: number) => string} [options.words]
 * @param {(value: number) => void} [options.settle] called when it has moved
 * @param {string} [options.help]
 */
export function slider({ title, low, high, step, change, words = String, settle, help }) {
  const output = el("output");
  const valueOf = (/** @type {Event} */ event) =>
    Number(/** @type {HTMLInputElement} */ (event.target).value);
  let moving = false;
  const rest = () => {
    moving = false;
  };
  const input = el("input", {
    type: "range", min: low, max: high, step, title: help, onpointerup: rest, onblur: rest,
    oninput: (/** @type {Event} */ event) => {
      moving = true;
      output.textContent = words(valueOf(event));
      change(valueOf(event));
    },
    onchange: (/** @type {Event} */ event) => {
      rest();
      settle?.(valueOf(event));
    },
  });
  const made = el("label", { class: "field number" }, title, input, output);
  const show = (/** @type {number} */ value) => {
    if (!moving) input.value = String(value); // else it would slip out of the hand
    output.textContent = words(moving ? Number(input.value) : value);
  };
  return { made, show };
}

let explanations = 0;

/**
 * A control with an explanation, which is shown under the pointer and while the control has the
 * focus, and is read to those who do not see it.
 * @param {HTMLElement} field
 * @param {string} help
 */
export function explained(field, help) {
  const id = `explanation-${(explanations += 1)}`;
  field.querySelector("select, input")?.setAttribute("aria-describedby", id);
  return el("div", { class: "explained", title: help }, field, el("p", { class: "note", id, text: help }));
}

/**
 * A box to tick.
 * @param {string} title
 * @param {(on: boolean) => void} change
 */
export function tick(title, change) {
  const input = el("input", {
    type: "checkbox",
    onchange: (/** @type {Event} */ event) =>
      change(/** @type {HTMLInputElement} */ (event.target).checked),
  });
  const made = el("label", { class: "row" }, input, title);
  const show = (/** @type {boolean} */ on) => {
    input.checked = on;
  };
  return { made, show };
}

/**
 * Rebuild what an element holds, only when it changes, keeping the focus where it is.
 * @param {HTMLElement} parent
 * @param {any} about what the contents depend on
 * @param {() => Node[]} build elements to keep the focus in have a "data-key"
 */
export function rebuild(parent, about, build) {
  const now = JSON.stringify(about);
  if (parent.dataset.about === now) return;
  parent.dataset.about = now;
  const active = document.activeElement;
  const key = parent.contains(active) ? active?.getAttribute("data-key") : null;
  const typed = key && active instanceof HTMLInputElement && active.type === "text" ? active : null;
  parent.replaceChildren(...build());
  if (!key) return;
  const again = /** @type {HTMLElement | null} */ (parent.querySelector(`[data-key="${key}"]`));
  if (typed && again instanceof HTMLInputElement) {
    again.value = typed.value;
    again.focus();
    again.setSelectionRange(typed.selectionStart, typed.selectionEnd);
  } else again?.focus();
}

/**
 * Return a function that runs soon after it is called, and then not again for a moment.
 * @param {() => void} run
 * @param {number} milliseconds
 */
export function throttled(run, milliseconds) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  let last = -milliseconds;
  return () => {
    waiting ??= setTimeout(() => {
      waiting = undefined;
      last = performance.now();
      run();
    }, Math.max(10, last + milliseconds - performance.now()));
  };
}

/**
 * Return a function that waits until it has not been called for a moment.
 * @template {any[]} A
 * @param {(...values: A) => void} run
 * @param {number} milliseconds
 */
export function settled(run, milliseconds) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  return (/** @type {A} */ ...values) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => run(...values), milliseconds);
  };
}
