// What is drawn of a plane: the image, the results, the strokes; kept up to date.

import { Layer } from "./layer.js";
import { holds } from "./notices.js";
import { acrossOf, met, sheetOf } from "./slices.js";
import { drawStroke } from "./tools.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Plane} Plane */

/**
 * Return the address of a tile of a plane of the image that is looked at.
 * @param {App} app
 * @param {Plane} of
 * @param {string} kind
 * @param {number[]} tile factor, row and column
 * @param {string[]} [more] further parts of the query
 */
function address(app, of, kind, tile, more = []) {
  if (!app.state || !app.current) return null;
  const plane = Object.entries(of).map(([axis, at]) => `${axis}=${at}`);
  const query = [...plane, ...more, `e=${app.state.epoch}`].join("&");
  return `/images/${encodeURIComponent(app.image)}/${kind}/${tile.join("/")}?${query}`;
}

/**
 * Return how channels are shown, for addresses; null until that is known.
 * @param {App} app
 */
function shownChannels(app) {
  const channels = app.channels.get(app.image);
  if (!channels) return null;
  const share = Math.round(255 / Math.max(1, channels.filter(({ on }) => on).length));
  const grey = share.toString(16).padStart(2, "0").repeat(3);
  return channels.flatMap(({ on, low, high, color }, i) =>
    on ? [`c=${i}:${low}:${high}:${app.view.grey ? grey : color.slice(1)}`] : [],
  );
}

/**
 * Return the address of a tile of the image, as it is shown; null until that is known.
 * @param {App} app
 * @param {number[]} tile factor, row and column
 * @param {Plane} [plane] that which is looked at, unless given
 */
export function pixelsAddress(app, tile, plane = app.plane) {
  const channels = shownChannels(app);
  return channels && address(app, plane, "pixels", tile, channels);
}

/**
 * Return what of the result is shown, for addresses; null for nothing.
 * @param {App} app
 */
export function shownResult(app) {
  const { overlay } = app.view;
  if (!app.state?.trained || overlay === "none") return null;
  return overlay === "probability" ? `probability/${app.probability}` : overlay;
}

/**
 * Give a viewer its layers, and keep them up to date.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {() => Plane} [plane] returns the plane that is shown; that which is looked at, unless given
 */
export function showPlanes(app, viewer, plane = () => app.plane) {
  const changed = () => viewer.redraw();
  const failed = (/** @type {string} */ text) => {
    if (app.connected || !text) holds("tiles", text);
  };
  const pixels = new Layer({
    address: (...tile) => pixelsAddress(app, tile, plane()),
    changed,
    failed,
    smooth: true,
  });
  const results = new Layer({
    address: (...tile) => {
      const kind = shownResult(app);
      return kind && address(app, plane(), kind, tile);
    },
    changed,
    failed,
  });
  const strokes = new Layer({
    address: (...tile) => address(app, plane(), "strokes", tile),
    changed,
    failed,
  });
  strokes.opacity = 0.9;
  results.look = () => ({
    style: /** @type {import("./labels.js").Style} */ (app.view.style),
    classes: app.shownClasses,
  });
  viewer.layers = [pixels, results, strokes];
  followSession(app, plane, results, strokes);
  followView(app, viewer, plane, results, strokes);
  if (viewer.paints) drawPending(app, viewer, strokes);
}

/**
 * Fetch again what the session says has changed.
 * @param {App} app
 * @param {() => Plane} shown
 * @param {Layer} results
 * @param {Layer} strokes
 */
function followSession(app, shown, results, strokes) {
  app.addEventListener("told", (event) => {
    const { event: name, image, plane, box } = /** @type {CustomEvent<Told>} */ (event).detail;
    const there = box && image === app.image ? met(shown(), plane ?? {}, box) : null;
    if (!there) return;
    if (name === "strokes") strokes.invalidate(there);
    if (name === "block") results.invalidate(there);
  });
  let before = "";
  app.addEventListener("change", () => {
    const now = JSON.stringify([app.state?.classes, app.current?.region]);
    if (now !== before) for (const layer of [results, strokes]) layer.invalidate(null); // and redraw
    before = now;
  });
}

/**
 * Show another image, and other settings of the view.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {() => Plane} plane
 * @param {Layer} results
 * @param {Layer} strokes
 */
function followView(app, viewer, plane, results, strokes) {
  let before = "";
  let shown = "";
  /** @type {Map<string, {y: number, x: number, scale: number}>} where images were looked at last */
  const cameras = new Map();
  app.addEventListener("change", () => {
    const image = app.current;
    const at = JSON.stringify([app.image, acrossOf(plane())]);
    const now = JSON.stringify([at, app.state?.epoch]);
    if (image && now !== before) {
      const { y, x, scale } = viewer.camera;
      if (shown) cameras.set(shown, { y, x, scale });
      for (const layer of viewer.layers) layer.clear();
      viewer.setPlane(sheetOf(image, plane()), cameras.get(at));
      [before, shown] = [now, at];
    }
    const { opacity, style, overlay } = app.view;
    const lines = overlay === "labels" && style !== "filled"; // which cover little of the image
    results.opacity = lines && opacity ? (1 + opacity) / 2 : opacity;
    results.visible = !app.outlined;
    strokes.visible = app.view.showStrokes && !app.outlined;
    viewer.redraw();
  });
  app.connection.addEventListener("open", () => {
    for (const layer of viewer.layers) layer.invalidate(null);
  });
}

/**
 * Draw strokes from memory until the session has stored them and their tiles have come.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {Layer} strokes
 */
function drawPending(app, viewer, strokes) {
  const stored = new WeakSet();
  app.addEventListener("stored", (event) => {
    stored.add(/** @type {CustomEvent<object>} */ (event).detail);
    viewer.redraw();
  });
  viewer.addEventListener("drawn", (event) => {
    const context = /** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail;
    const colour = (/** @type {number} */ label) => app.colourOf(label);
    if (!strokes.busy) app.pending = app.pending.filter((one) => !stored.has(one));
    for (const { image, plane, stroke } of app.pending) {
      if (app.isShown(image, plane)) drawStroke(context, viewer, stroke, colour);
    }
  });
}
