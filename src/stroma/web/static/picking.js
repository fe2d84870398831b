// The magic wand and the bucket: one press paints a region.

import { byId } from "./dom.js";
import { showWhile } from "./tasks.js";
import { group, slider } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./viewer.js").Tool} Tool */

const NAMES = { wand: "Looking for what is alike", bucket: "Filling" };
/** The slider goes from 0.05 to 5 standard deviations of what is in view, evenly in their logarithm. */
const LEAST = 0.05;
const TIMES = 100;

/**
 * Return a tool of which one press paints a region.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {keyof typeof NAMES} command
 * @returns {Tool}
 */
export function picker(app, viewer, command) {
  /** @type {{at: [number, number], label: number} | null} */
  let pressed = null;
  const drop = () => {
    pressed = null;
  };
  return {
    cursor: "crosshair",
    down(at, event) {
      pressed = { at, label: command === "wand" && event.altKey ? 0 : app.label };
    },
    up() {
      const { image, plane } = app;
      const values = { image, plane, box: viewer.camera.view(), reach: app.view.reach };
      if (pressed) showWhile(NAMES[command], app.ask(command, { ...values, ...pressed }));
      pressed = null;
    },
    retract: drop,
    cancel: drop,
  };
}

/** Pixels of the screen beside a stroke in which a click still means it. */
const NEAR = 8;

/**
 * Return a tool that removes the stroke which is clicked.
 * @param {App} app
 * @param {Viewer} viewer
 * @returns {Tool}
 */
export function remover(app, viewer) {
  /** @type {[number, number] | null} */
  let pressed = null;
  const drop = () => {
    pressed = null;
  };
  return {
    cursor: "pointer",
    down(at) {
      pressed = at;
    },
    up() {
      const { image, plane } = app;
      const within = Math.min(NEAR / viewer.camera.scale, 1000);
      if (pressed) app.ask("remove-stroke", { image, plane, at: pressed, within });
      pressed = null;
    },
    retract: drop,
    cancel: drop,
  };
}

/**
 * Return the controls of the wand, shown while it is chosen.
 * @param {App} app
 */
export function wandGroup(app) {
  const reach = slider({
    title: "Reach", low: 0, high: 100, step: 1,
    words: () => app.view.reach.toFixed(2),
    change: (value) => app.look({ reach: LEAST * TIMES ** (value / 100) }),
    help: "How different pixels may be from the one that is pressed; the more, the larger the region",
  });
  const made = group("Magic wand", reach.made);
  made.hidden = true;
  app.addEventListener("change", () => {
    reach.show(Math.round((100 * Math.log(app.view.reach / LEAST)) / Math.log(TIMES)));
  });
  byId("tools").addEventListener("chosen", (event) => {
    made.hidden = /** @type {CustomEvent<string>} */ (event).detail !== "wand";
  });
  return made;
}
