// Pictures of measures: how often each value is, and one measure beside another; a brush selects.

import { el } from "./dom.js";

/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

const [WIDE, HIGH, EDGE] = [300, 150, 4];
const BINS = 40;

/**
 * A plot: points or bars, and a rectangle that is dragged over it.
 * @param {ObjectDesk} desk
 * @param {() => {x: string, y: string}} names of the measures; y is empty for a histogram
 */
export function plot(desk, names) {
  const canvas = el("canvas", { width: WIDE * 2, height: HIGH * 2, class: "plot", id: "object-plot" });
  canvas.setAttribute("aria-label", "Measures of the objects; drag to select those in a range");
  const low = el("span");
  const high = el("span");
  /** @type {(number | null)[][]} values along x and y, by row */
  let values = [[], []];
  /** @type {{from: [number, number], to: [number, number]} | null} */
  let dragged = null;
  const ranges = () => values.map(rangeOf);
  const place = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    return /** @type {[number, number]} */ ([
      ((event.clientX - box.left) / box.width) * WIDE,
      ((event.clientY - box.top) / box.height) * HIGH,
    ]);
  };
  const draw = () => paint(desk, canvas, names(), values, ranges(), dragged);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    const at = place(event);
    dragged = { from: at, to: at };
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    dragged = { ...dragged, to: place(event) };
    desk.select(inside(desk, names(), values, ranges(), dragged));
  });
  canvas.addEventListener("pointerup", () => {
    if (dragged && dragged.from[0] === dragged.to[0]) desk.select([]);
    dragged = null;
    draw();
  });
  const load = async () => {
    const { x, y } = names();
    values = [x ? await desk.measure(x) : [], y ? await desk.measure(y) : []];
    const [along] = ranges();
    low.textContent = values[0].length ? short(along[0]) : "";
    high.textContent = values[0].length ? short(along[1]) : "";
    draw();
  };
  desk.addEventListener("look", draw);
  return { made: el("div", {}, canvas, el("div", { class: "ends note" }, low, high)), load };
}

/** @param {number} value */
export function short(value) {
  return Number(value.toPrecision(4)).toLocaleString("en");
}

/**
 * @param {(number | null)[]} values
 * @returns {[number, number]}
 */
function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high === low ? low + 1 : high] : [0, 1];
}

/**
 * Return where a value lies along an axis, in pixels.
 * @param {number} value
 * @param {[number, number]} range
 * @param {number} length
 */
function along(value, [low, high], length) {
  return EDGE + ((value - low) / (high - low)) * (length - 2 * EDGE);
}

/**
 * Return the objects in the rectangle that is dragged.
 * @param {ObjectDesk} desk
 * @param {{x: string, y: string}} names
 * @param {(number | null)[][]} values
 * @param {[number, number][]} ranges
 * @param {{from: [number, number], to: [number, number]}} dragged
 */
function inside(desk, names, values, ranges, { from, to }) {
  const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
  const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
  const labels = desk.known?.rows.label ?? [];
  return labels.filter((number, row) => {
    const [a, b] = [values[0][row], values[1][row]];
    if (a === null || a === undefined || !desk.passes(number)) return false;
    const x = along(a, ranges[0], WIDE);
    if (x < left || x > right) return false;
    if (!names.y) return true;
    if (b === null || b === undefined) return false;
    const y = HIGH - along(b, ranges[1], HIGH);
    return y >= top && y <= bottom;
  });
}

/**
 * @param {ObjectDesk} desk
 * @param {HTMLCanvasElement} canvas
 * @param {{x: string, y: string}} names
 * @param {(number | null)[][]} values
 * @param {[number, number][]} ranges
 * @param {{from: [number, number], to: [number, number]} | null} dragged
 */
function paint(desk, canvas, names, values, ranges, dragged) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(2, 0, 0, 2, 0, 0);
  context.clearRect(0, 0, WIDE, HIGH);
  if (names.y) points(desk, context, values, ranges);
  else bars(desk, context, values[0], ranges[0]);
  if (!dragged) return;
  const [x0, y0] = dragged.from;
  const [x1, y1] = dragged.to;
  context.fillStyle = "rgb(128 128 128 / 25%)";
  context.strokeStyle = "rgb(128 128 128)";
  const [top, tall] = names.y ? [y0, y1 - y0] : [0, HIGH];
  context.fillRect(x0, top, x1 - x0, tall);
  context.strokeRect(x0, top, x1 - x0, tall);
}

/**
 * @param {ObjectDesk} desk
 * @param {CanvasRenderingContext2D} context
 * @param {(number | null)[][]} values
 * @param {[number, number][]} ranges
 */
function points(desk, context, values, ranges) {
  (desk.known?.rows.label ?? []).forEach((number, row) => {
    const [a, b] = [values[0][row], values[1][row]];
    if (a === null || b === null || a === undefined || b === undefined || !desk.passes(number)) return;
    const [x, y] = [along(a, ranges[0], WIDE), HIGH - along(b, ranges[1], HIGH)];
    const chosen = desk.selected.has(number);
    context.fillStyle = desk.colourOf(row);
    context.beginPath();
    context.arc(x, y, chosen ? 4 : 2.5, 0, 2 * Math.PI);
    context.fill();
    if (!chosen) return;
    context.strokeStyle = textColour();
    context.stroke();
  });
}

/**
 * @param {ObjectDesk} desk
 * @param {CanvasRenderingContext2D} context
 * @param {(number | null)[]} values
 * @param {[number, number]} range
 */
function bars(desk, context, values, range) {
  const [all, chosen] = [Array(BINS).fill(0), Array(BINS).fill(0)];
  (desk.known?.rows.label ?? []).forEach((number, row) => {
    const value = values[row];
    if (value === null || value === undefined || !desk.passes(number)) return;
    const bin = Math.min(BINS - 1, Math.floor(((value - range[0]) / (range[1] - range[0])) * BINS));
    all[bin] += 1;
    if (desk.selected.has(number)) chosen[bin] += 1;
  });
  const most = Math.max(1, ...all);
  const wide = (WIDE - 2 * EDGE) / BINS;
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  for (const [counts, style] of /** @type {[number[], string][]} */ ([[all, accent], [chosen, textColour()]])) {
    context.fillStyle = style;
    counts.forEach((count, k) => {
      const high = (count / most) * (HIGH - EDGE);
      context.fillRect(EDGE + k * wide, HIGH - high, wide - 1, high);
    });
  }
}

/** @returns {string} */
function textColour() {
  return getComputedStyle(document.body).color;
}
