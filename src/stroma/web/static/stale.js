// Results that are older than the strokes stay on screen, and are hatched until replaced.

import { shownResult } from "./planes.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Box} Box */

const AFTER = 600;
const SPACE = 28;

/**
 * Hatch what has been out of date for a moment.
 * @param {App} app
 * @param {Viewer} viewer
 */
export function hatchStale(app, viewer) {
  /** @type {Box[]} */
  let boxes = [];
  let looked = "";
  const find = settled(async () => {
    if (!app.state?.trained || !app.current || !app.connected) return;
    const found = await app.ask("stale", { image: app.image, plane: app.plane });
    if (found) boxes = found;
    viewer.redraw();
  }, AFTER);
  app.addEventListener("told", (event) => {
    const { event: name, image, plane, box } = /** @type {CustomEvent<Told>} */ (event).detail;
    if (name === "block" && app.isShown(image, plane)) {
      boxes = boxes.filter((old) => JSON.stringify(old) !== JSON.stringify(box));
    }
    if (["strokes", "block", "round"].includes(name)) find();
  });
  app.addEventListener("change", () => {
    const now = JSON.stringify([app.image, app.plane, app.state?.revision]);
    if (now === looked) return;
    looked = now;
    boxes = [];
    find();
  });
  viewer.addEventListener("drawn", (event) => {
    if (shownResult(app) === null || !boxes.length) return;
    draw(/** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail, viewer, boxes);
  });
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {Box[]} boxes
 */
function draw(context, viewer, boxes) {
  context.save();
  context.fillStyle = hatching(context);
  for (const { top, left, bottom, right } of boxes) {
    const [x0, y0] = viewer.camera.toScreen(top, left);
    const [x1, y1] = viewer.camera.toScreen(bottom, right);
    context.fillRect(x0, y0, x1 - x0, y1 - y0);
  }
  context.restore();
}

/** @type {CanvasPattern | null} */
let pattern = null;

/**
 * Return thin diagonal lines, dark and light so that they are seen on anything.
 * @param {CanvasRenderingContext2D} context
 */
function hatching(context) {
  if (!pattern) {
    const small = new OffscreenCanvas(SPACE, SPACE);
    const drawn = /** @type {OffscreenCanvasRenderingContext2D} */ (small.getContext("2d"));
    for (const [width, style] of [[3, "rgb(0 0 0 / 22%)"], [1, "rgb(255 255 255 / 55%)"]]) {
      drawn.lineWidth = Number(width);
      drawn.strokeStyle = String(style);
      drawn.beginPath();
      for (const from of [-SPACE, 0, SPACE]) {
        drawn.moveTo(from - 2, SPACE + 2);
        drawn.lineTo(from + SPACE + 2, -2);
      }
      drawn.stroke();
    }
    pattern = context.createPattern(small, "repeat");
  }
  return pattern ?? "transparent";
}
