// Work that takes a while: how far it is, how long it will take, and a button to stop it.

import { byId, el, fill } from "./dom.js";
import { notice } from "./notices.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Told} Told */

/** @type {Map<number, Told>} */
const running = new Map();

/**
 * Show tasks in the bar from now on.
 * @param {App} app
 */
export function showTasks(app) {
  app.addEventListener("told", (event) => {
    const { detail: told } = /** @type {CustomEvent<Told>} */ (event);
    if (told.event === "progress" && told.task) running.set(told.task, told);
    else if (told.event === "task" && told.task) {
      running.delete(told.task);
      if (told.what === "failed") notice(told.message ?? "", "bad");
    } else return;
    fill(byId("tasks"), ...[...running.values()].map((one) => task(app, one)));
  });
}

/**
 * @param {App} app
 * @param {Told} told
 */
function task(app, { task: number, what, done = 0, total = 0, left }) {
  return el(
    "div",
    { class: "round" },
    el("span", { text: left ? `${what}, ${Math.ceil(left)} s left` : what }),
    el("progress", { max: total || 1, value: done, "aria-label": what }),
    el("button", {
      class: "flat wide", type: "button", text: "Stop", "aria-label": `Stop: ${what}`,
      onclick: () => app.ask("stop-task", { task: number }),
    }),
  );
}
