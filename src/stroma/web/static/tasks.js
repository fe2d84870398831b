// Work that takes a while: how far it is, how long it will take, and a button to stop it.

import { byId, el, fill } from "./dom.js";
import { notice } from "./notices.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Told} Told */

/**
 * @typedef {object} Work
 * @property {string} what
 * @property {number} done
 * @property {number} total
 * @property {number | null} [left] seconds
 * @property {() => void} stop
 */

/** @type {Map<string, Work>} */
const running = new Map();

/**
 * Show how far some work is, or (null) that it has ended.
 * @param {string} key
 * @param {Work | null} work
 */
export function showWork(key, work) {
  if (work) running.set(key, work);
  else running.delete(key);
  fill(byId("tasks"), ...[...running.values()].map(row));
}

/**
 * Show the session's tasks in the bar from now on.
 * @param {App} app
 */
export function showTasks(app) {
  app.addEventListener("told", (event) => {
    const { event: kind, task, what, message, done = 0, total = 0, left } =
      /** @type {CustomEvent<Told>} */ (event).detail;
    if (!task) return;
    const stop = () => void app.ask("stop-task", { task });
    if (kind === "progress") showWork(`task ${task}`, { what: what ?? "", done, total, left, stop });
    else if (kind === "task") {
      showWork(`task ${task}`, null);
      if (what === "failed") notice(message ?? "", "bad");
    }
  });
}

/** @param {Work} work */
function row({ what, done, total, left, stop }) {
  return el(
    "div",
    { class: "round" },
    el("span", { text: left ? `${what}, ${Math.ceil(left)} s left` : what }),
    el("progress", { max: total || 1, value: done, "aria-label": what }),
    el("button", {
      class: "flat wide", type: "button", text: "Stop", "aria-label": `Stop: ${what}`, onclick: stop,
    }),
  );
}
