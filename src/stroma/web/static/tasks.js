// Work that takes a while: how far it is, how long it will take, and a button to stop it.

import { byId, el, fill } from "./dom.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Told} Told */

const SILENT = 500;
const NAMES = {
  areas: "Measuring areas",
  batch: "Segmenting",
  download: "Downloading",
  "finding all objects": "Finding all objects",
  groups: "Looking for groups",
  comparison: "Comparing extractors",
  suggestion: "Looking for a place",
  validation: "Measuring accuracy",
  volumes: "Measuring the volume",
};

/**
 * @typedef {object} Work
 * @property {string} what
 * @property {number} [done]
 * @property {number} [total] left out where nobody knows
 * @property {number | null} [left] seconds
 * @property {() => void} [stop]
 */

/** @type {Map<string, Work>} */
const running = new Map();

/** @type {Map<string, ReturnType<typeof setTimeout>>} */
const waiting = new Map();

/**
 * Show how far some work is, or (null) that it has ended.
 * @param {string} key
 * @param {Work | null} work
 */
export function showWork(key, work) {
  clearTimeout(waiting.get(key));
  waiting.delete(key);
  if (work) running.set(key, work);
  else running.delete(key);
  fill(byId("tasks"), ...[...running.values()].map(row));
}

/**
 * Show some work if it has not ended, or said how far it is, within half a second.
 * @param {string} key
 * @param {Work} work
 */
function showLater(key, work) {
  waiting.set(key, setTimeout(() => showWork(key, work), SILENT));
}

let questions = 0;

/**
 * Show that the answer to a question is on its way, if it takes long.
 * @template T
 * @param {string} what
 * @param {Promise<T>} answer
 * @returns {Promise<T>}
 */
export function showWhile(what, answer) {
  const key = `question ${(questions += 1)}`;
  showLater(key, { what });
  return answer.finally(() => showWork(key, null));
}

/**
 * Show the session's tasks in the bar from now on.
 * @param {App} app
 */
export function showTasks(app) {
  app.addEventListener("told", (event) => {
    const { event: kind, task, what = "", name = "", done, total, left } =
      /** @type {CustomEvent<Told>} */ (event).detail;
    if (!task) return;
    const key = `task ${task}`;
    const stop = () => void app.ask("stop-task", { task });
    if (kind === "progress") showWork(key, { what: words(what), done, total, left, stop });
    else if (what === "started") showLater(key, { what: words(name), stop });
    else showWork(key, null);
  });
}

/** @param {string} name */
function words(name) {
  return NAMES[/** @type {keyof typeof NAMES} */ (name)] ?? name;
}

/**
 * Say how long something will take, no more exactly than that is known.
 * @param {number} seconds
 */
export function timeLeft(seconds) {
  if (seconds < 60) return `${seconds < 10 ? Math.ceil(seconds) : 5 * Math.ceil(seconds / 5)} s left`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `about ${minutes} min left` : `about ${Math.round(minutes / 60)} h left`;
}

/** @param {Work} work */
function row({ what, done = 0, total, left, stop }) {
  const value = total ? { max: total, value: done } : {};
  return el(
    "div",
    { class: "round" },
    el("span", { text: left ? `${what}, ${timeLeft(left)}` : what }),
    el("progress", { ...value, "aria-label": what }),
    stop &&
      el("button", {
        class: "flat wide", type: "button", text: "Stop", "aria-label": `Stop: ${what}`, onclick: stop,
      }),
  );
}
