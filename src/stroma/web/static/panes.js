// Beside the plane that is painted on, the two others through the same voxel of a volume.

import { byId, el } from "./dom.js";
import { showPlanes } from "./planes.js";
import { AXES, NAMES, planeAt } from "./slices.js";
import { Viewer } from "./viewer.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./slices.js").Across} Across */

const LOOK_DELAY = 60;
const ORDER = /** @type {Across[]} */ (["z", "y", "x"]);
/** What the server calls the panes. */
const PANES = ["first", "second"];

/**
 * Show the panes where an image is a volume, and where the planes meet in all of them.
 * @param {App} app
 * @param {Viewer} main
 */
export function showPanes(app, main) {
  const rest = (/** @type {number} */ which) => ORDER.filter((axis) => axis !== app.across)[which];
  const panes = PANES.map((name, which) => pane(app, name, () => rest(which)));
  byId("panes").append(...panes.map((one) => one.box));
  app.panes = panes;
  const tell = () => panes.forEach((one) => one.tell());
  let shown = false;
  let looked = "";
  app.addEventListener("change", () => {
    byId("panes").hidden = !app.isVolume;
    if (shown && !app.isVolume) panes.forEach((one) => one.close());
    shown = app.isVolume;
    panes.forEach((one) => one.name());
    const now = JSON.stringify([app.image, app.cross, app.across]);
    if (now !== looked) tell();
    looked = now;
    main.redraw();
  });
  app.connection.addEventListener("open", tell);
  followCross(app, main, () => app.across);
}

/**
 * Draw in a viewer where the planes meet, and move that with Ctrl.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {() => Across} across the axis that its plane lies across
 */
function followCross(app, viewer, across) {
  viewer.addEventListener("cross", (event) => {
    if (!app.isVolume) return;
    const at = /** @type {CustomEvent<[number, number]>} */ (event).detail;
    const [rows, columns] = AXES[across()];
    app.moveCross({ [rows]: at[0], [columns]: at[1] });
  });
  viewer.addEventListener("drawn", (event) => {
    if (!app.isVolume || !app.current) return;
    const [rows, columns] = AXES[across()];
    const [x, y] = viewer.camera.toScreen(app.cross[rows] + 0.5, app.cross[columns] + 0.5);
    const context = /** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail;
    context.save();
    for (const [width, style] of [[3, "rgb(0 0 0 / 35%)"], [1, "rgb(255 255 255 / 70%)"]]) {
      context.lineWidth = Number(width);
      context.strokeStyle = String(style);
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(viewer.camera.width, y);
      context.moveTo(x, 0);
      context.lineTo(x, viewer.camera.height);
      context.stroke();
    }
    context.restore();
  });
}

/**
 * Build a pane: a click moves where the planes meet, its button brings it to where one paints.
 * @param {App} app
 * @param {string} called what the server calls it
 * @param {() => Across} across
 */
function pane(app, called, across) {
  const canvas = el("canvas", { tabindex: 0, "data-pane": called });
  const button = el("button", { type: "button", class: "wide", onclick: () => app.turn(across()) });
  const box = el("div", { class: "pane" }, canvas, button);
  const viewer = new Viewer(canvas);
  viewer.paints = false;
  const plane = () => (app.current ? planeAt(app.current, app.cross, across()) : {});
  const [rows, columns] = [() => AXES[across()][0], () => AXES[across()][1]];
  const go = (/** @type {[number, number]} */ [y, x]) => app.moveCross({ [rows()]: y, [columns()]: x });
  viewer.setTool({
    cursor: "crosshair",
    down: go,
    move: (at, event) => {
      if (event.buttons & 1) go(at[at.length - 1]);
    },
  });
  showPlanes(app, viewer, plane);
  followCross(app, viewer, across);
  const tell = settled(() => {
    const seen = viewer.camera.view();
    if (!app.isVolume || seen.bottom <= seen.top || seen.right <= seen.left) return;
    app.ask("look", { image: app.image, plane: plane(), box: seen, pane: called });
  }, LOOK_DELAY);
  viewer.addEventListener("view", tell);
  const name = () => {
    const title = NAMES[across()];
    if (button.textContent === title) return;
    button.textContent = title;
    button.title = `Paint on this plane (${across().toUpperCase()})`;
    canvas.setAttribute("aria-label", `The ${title} plane. A click moves where the planes meet.`);
  };
  return { viewer, plane, box, tell, name, close: () => app.ask("look-away", { pane: called }) };
}
