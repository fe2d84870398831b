// How the results on the screen stand: absent, computing, current, older than the strokes, or failed.

import { shownResult } from "./planes.js";
import { settled, throttled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Box} Box */

const BETWEEN = 120;
const HATCHED_AFTER = 600;
const SPACE = 28;

/**
 * Keep `app.standing` true, and hatch what has been older than the strokes for a moment.
 * @param {App} app
 * @param {Viewer} viewer
 */
export function followStanding(app, viewer) {
  let asked = 0;
  const find = throttled(async () => {
    if (!app.state?.trained || !app.current || !app.connected) return;
    const [number, about] = [(asked += 1), subject(app)];
    const box = viewer.camera.view();
    const found = await app.ask("standing", { image: app.image, plane: app.plane, box });
    if (!found || number !== asked || about !== subject(app)) return;
    app.standing = { ...found, about };
    app.changed();
  }, BETWEEN);
  app.addEventListener("told", (event) => {
    const { event: name } = /** @type {CustomEvent<Told>} */ (event).detail;
    if (["strokes", "block", "round"].includes(name)) find();
  });
  viewer.addEventListener("view", find);
  let before = "";
  app.addEventListener("change", () => {
    const now = JSON.stringify([subject(app), app.state?.working, app.state?.trained, app.connected]);
    if (now === before) return;
    before = now;
    find();
  });
  hatch(app, viewer);
}

/**
 * Return what a standing is about; another plane or revision has one of its own.
 * @param {App} app
 */
export function subject({ image, plane, state, current }) {
  return JSON.stringify([image, plane, state?.revision, state?.epoch, current?.region]);
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
function hatch(app, viewer) {
  /** @type {Box[]} */
  let boxes = [];
  let looked = "";
  const show = settled((/** @type {string} */ about, /** @type {Box[]} */ found) => {
    if (about !== looked) return; // somebody looks at something else, or nothing, by now
    boxes = found;
    viewer.redraw();
  }, HATCHED_AFTER);
  app.addEventListener("change", () => {
    const { about = "", stale = [] } = app.standing ?? {};
    const now = about === subject(app) ? JSON.stringify([about, stale]) : "";
    if (now === looked) return;
    looked = now;
    const left = new Set(now ? stale.map((one) => JSON.stringify(one)) : []);
    boxes = boxes.filter((one) => left.has(JSON.stringify(one)));
    if (now) show(now, stale);
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
