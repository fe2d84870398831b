// The whole plane, small, with what is in view; only where much of it is not.

import { byId } from "./dom.js";
import { pixelsAddress } from "./planes.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */

const SIDE = 132;
const TILE = 512;
const LARGE = 2000;
const SEEN = 0.6;

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
export function showMinimap(app, viewer) {
  const canvas = /** @type {HTMLCanvasElement} */ (byId("minimap"));
  /** @type {ImageBitmap | null} */
  let picture = null;
  let loaded = "";
  const load = async () => {
    const image = app.current && app.sheet;
    const factor = image ? 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(image.height, image.width) / TILE))) : 1;
    const source = image && factor <= 1024 ? (pixelsAddress(app, [factor, 0, 0]) ?? "") : "";
    if (source === loaded) return;
    loaded = source;
    const answer = source ? await fetch(source) : null;
    if (source !== loaded) return;
    picture?.close();
    picture = answer?.ok ? await createImageBitmap(await answer.blob()) : null;
    draw();
  };
  const draw = () => {
    const image = app.current && app.sheet;
    const view = viewer.camera.view();
    const large = image && Math.max(image.height, image.width) >= LARGE;
    const seen = image ? ((view.bottom - view.top) * (view.right - view.left)) / (image.height * image.width) : 1;
    canvas.hidden = !image || !large || seen > SEEN;
    if (canvas.hidden || !image) return;
    load();
    const scale = SIDE / Math.max(image.height, image.width);
    canvas.width = Math.max(8, Math.round(image.width * scale));
    canvas.height = Math.max(8, Math.round(image.height * scale));
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    if (picture) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    for (const [width, style] of [[3, "rgb(0 0 0 / 60%)"], [1.5, "#ffffff"]]) {
      context.lineWidth = Number(width);
      context.strokeStyle = String(style);
      const [wide, high] = [view.right - view.left, view.bottom - view.top].map((n) => Math.max(4, n * scale));
      context.strokeRect(view.left * scale, view.top * scale, wide, high);
    }
  };
  const go = (/** @type {PointerEvent} */ event) => {
    if (!app.current || !event.buttons) return;
    const scale = SIDE / Math.max(app.sheet.height, app.sheet.width);
    viewer.camera.y = event.offsetY / scale;
    viewer.camera.x = event.offsetX / scale;
    viewer.moved();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    go(event);
  });
  canvas.addEventListener("pointermove", go);
  viewer.addEventListener("view", draw);
  app.addEventListener("change", draw);
}
