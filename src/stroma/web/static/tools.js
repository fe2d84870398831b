// Brush, eraser and polygon: from pointer to strokes, and how strokes look until they are stored.

import { around } from "./viewer.js";

/** @typedef {import("./types.js").Stroke} Stroke */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./viewer.js").Tool} Tool */

/** Pixels of the screen from the first corner, or from the last (a double click), that close. */
const CLOSE = 10;
const SAME = 3;
/** Pixels that lines reach beyond what they go around. */
const LINE = 3;
const HALO = "rgba(0, 0, 0, 0.55)";

/**
 * What the tools need to know and tell.
 * @typedef {object} Hand
 * @property {() => number} radius of the brush, in pixels of the image
 * @property {() => number} label that is painted
 * @property {(label: number) => string} colour
 * @property {() => string} where image and plane
 * @property {(stroke: Stroke) => void} done
 */

const LARGEST = 500;

/**
 * Return the radius of the brush in pixels of the image.
 * @param {{radius: number, brushOn: string}} view
 * @param {number} scale pixels of the screen per pixel of the image
 */
export function brushRadius({ radius, brushOn }, scale) {
  return brushOn === "screen" ? Math.min(LARGEST, Math.max(0.5, radius / scale)) : radius;
}

/**
 * Return a brush, or an eraser.
 * @param {Hand} hand
 * @param {boolean} erases
 * @returns {Tool}
 */
export function brush(hand, erases) {
  /** @type {Stroke | null} */
  let current = null;
  /** @type {{at: [number, number], where: string} | null} where the last stroke ended */
  let last = null;
  let drawn = 0; // points of the stroke
  const drop = () => {
    current = null;
  };
  return {
    cursor: "none",
    down(at, event) {
      const rubber = erases || event.button === 5 || event.altKey;
      const label = rubber ? 0 : hand.label();
      const straight = event.shiftKey && last?.where === hand.where();
      const points = straight && last ? [last.at, at] : [at];
      current = { kind: "brush", label, radius: hand.radius(), points };
      drawn = 0;
    },
    move(at) {
      current?.points.push(...at);
    },
    up() {
      if (current) {
        last = { at: current.points[current.points.length - 1], where: hand.where() };
        hand.done(current);
      }
      current = null;
    },
    retract: drop,
    cancel: drop,
    reach(viewer) {
      const { scale } = viewer.camera;
      const fresh = current?.points.slice(Math.max(0, drawn - 1)) ?? [];
      const boxes = fresh.map((at) => onScreen(viewer, at, Math.max(0.5, (current?.radius ?? 0) * scale)));
      if (viewer.hover) boxes.push(onScreen(viewer, viewer.hover, Math.max(2, hand.radius() * scale)));
      return boxes.length ? boxes.reduce(around) : null;
    },
    draw(context, viewer) {
      if (current) drawStroke(context, viewer, current, hand.colour);
      drawn = current?.points.length ?? 0;
      if (viewer.hover) ring(context, viewer, viewer.hover, hand, erases);
    },
  };
}

/**
 * @param {Viewer} viewer
 * @param {([number, number] | null | undefined)[]} points those that there are count
 * @param {number} [radius] in pixels of the screen, around each
 * @returns {import("./types.js").Box | null} where they, and lines between them, are on the screen
 */
export function reached(viewer, points, radius = 0) {
  const known = /** @type {[number, number][]} */ (points.filter(Boolean));
  return known.length ? known.map((at) => onScreen(viewer, at, radius)).reduce(around) : null;
}

/**
 * @param {Viewer} viewer
 * @param {[number, number]} at
 * @param {number} radius in pixels of the screen
 * @returns {import("./types.js").Box} where a circle is on the screen, with the lines around it
 */
function onScreen(viewer, at, radius) {
  const [x, y] = viewer.camera.toScreen(...at);
  const far = radius + LINE;
  return { top: y - far, left: x - far, bottom: y + far, right: x + far };
}

/**
 * Return a tool for polygons: a click sets a corner; a double click, Enter or a click on the first
 * corner closes it.
 * @param {Hand} hand
 * @returns {Tool & {close: () => void, back: () => void}}
 */
export function polygon(hand) {
  /** @type {[number, number][]} */
  let corners = [];
  /** @type {[number, number] | null} */
  let pressed = null;
  const close = () => {
    if (corners.length > 2) {
      hand.done({ kind: "polygon", label: hand.label(), radius: 0, points: corners });
    }
    corners = [];
  };
  /** @type {Viewer | null} */
  let shown = null;
  const add = (/** @type {[number, number]} */ at) => {
    const { scale, stretch } = shown?.camera ?? { scale: 1, stretch: 1 };
    const near = (/** @type {[number, number]} */ [y, x], /** @type {number} */ pixels) =>
      Math.hypot((y - at[0]) * stretch, x - at[1]) * scale < pixels;
    if (corners.length > 2 && (near(corners[0], CLOSE) || near(corners[corners.length - 1], SAME)))
      close();
    else corners.push(at);
  };
  return {
    cursor: "crosshair",
    down(at) {
      pressed = at;
    },
    up() {
      if (pressed) add(pressed);
      pressed = null;
    },
    retract() {
      pressed = null;
    },
    cancel() {
      corners = [];
      pressed = null;
    },
    close,
    back() {
      corners.pop();
    },
    reach: (viewer) =>
      corners.length ? reached(viewer, [corners[0], corners[corners.length - 1], viewer.hover]) : null,
    draw(context, viewer) {
      shown = viewer;
      if (corners.length) drawOpen(context, viewer, corners, hand);
    },
  };
}

/**
 * Draw a stroke that the session has not stored yet.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {Stroke} stroke
 * @param {(label: number) => string} colour
 */
export function drawStroke(context, viewer, stroke, colour) {
  const { camera } = viewer;
  const erases = stroke.label === 0;
  context.save();
  context.globalAlpha = erases ? 0.5 : 0.8;
  context.strokeStyle = context.fillStyle = erases ? "#808080" : colour(stroke.label);
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = Math.max(1, 2 * stroke.radius * camera.scale);
  context.beginPath();
  for (const [y, x] of stroke.points) context.lineTo(...camera.toScreen(y, x));
  if (stroke.kind === "polygon") context.fill();
  else {
    if (stroke.points.length === 1) context.lineTo(...camera.toScreen(...stroke.points[0]));
    context.stroke();
  }
  context.restore();
}

/**
 * Draw the outline of the brush.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {[number, number]} at
 * @param {Hand} hand
 * @param {boolean} erases
 */
function ring(context, viewer, at, hand, erases) {
  const [x, y] = viewer.camera.toScreen(...at);
  const radius = Math.max(2, hand.radius() * viewer.camera.scale);
  context.save();
  for (const [width, style] of [
    [3, HALO],
    [1.5, erases ? "#ffffff" : hand.colour(hand.label())],
  ]) {
    context.lineWidth = /** @type {number} */ (width);
    context.strokeStyle = /** @type {string} */ (style);
    context.setLineDash(erases && width === 1.5 ? [4, 3] : []);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
  context.restore();
}

/**
 * Draw a polygon that is not closed yet.
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {[number, number][]} corners
 * @param {Hand} hand
 */
function drawOpen(context, viewer, corners, hand) {
  const colour = hand.colour(hand.label());
  context.save();
  context.lineWidth = 2;
  context.lineJoin = "round"; // pointed ones reach far
  context.strokeStyle = context.fillStyle = colour;
  context.beginPath();
  for (const [y, x] of corners) context.lineTo(...viewer.camera.toScreen(y, x));
  if (viewer.hover) context.lineTo(...viewer.camera.toScreen(...viewer.hover));
  context.stroke();
  context.globalAlpha = 0.25;
  context.fill();
  context.globalAlpha = 1;
  for (const [y, x] of corners) {
    const [sx, sy] = viewer.camera.toScreen(y, x);
    context.fillRect(sx - 3, sy - 3, 6, 6);
  }
  context.restore();
}
