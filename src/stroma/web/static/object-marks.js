// What was said of an object by hand: clicks, boxes and strokes, and how they are drawn.

/** @typedef {import("./viewer.js").Viewer} Viewer */

/** Radius of a stroke, in pixels of the screen. */
export const STROKE = 3;
/** How far around its points a mark is drawn, in pixels of the screen. */
export const WIDEST = 5;
const COLOURS = { on: "#3ddc84", beside: "#ff5c5c" };

/**
 * One thing that was said of an object: a click, a box (two corners) or a stroke.
 * @typedef {{kind: "click" | "box" | "stroke", on: boolean, points: [number, number][], radius: number}} Mark
 */

/** @param {number} value */
export function round(value) {
  return Math.round(value * 100) / 100;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {Mark} mark
 */
export function drawMark(context, { camera }, { kind, on, points }) {
  const places = points.map(([y, x]) => camera.toScreen(y, x));
  const [[x, y]] = places;
  const [right, bottom] = places[places.length - 1];
  context.save();
  context.beginPath();
  if (kind === "click") context.arc(x, y, 4, 0, 2 * Math.PI);
  else if (kind === "box") context.rect(x, y, right - x, bottom - y);
  else for (const place of places) context.lineTo(...place);
  if (kind === "click") {
    context.fillStyle = on ? COLOURS.on : COLOURS.beside;
    context.fill();
  }
  context.lineWidth = kind === "stroke" ? 2 * STROKE : 1.5;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = kind === "click" ? "#000000" : on ? COLOURS.on : COLOURS.beside;
  context.stroke();
  context.restore();
}
