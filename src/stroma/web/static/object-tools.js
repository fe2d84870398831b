// Tools for objects: clicking them, cutting them along a line, drawing around what belongs to one.

import { reached } from "./tools.js";

/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./viewer.js").Tool} Tool */

export const TOOLS = {
  click: "Click",
  carve: "Carve",
  label: "Class",
  select: "Select",
  split: "Cut",
  draw: "Draw",
  reassign: "Give",
};

/** What each tool is for, told under the buttons. */
export const HELP = {
  click:
    "Click an object and commit it (S). A right click, or Alt, says what is not of it; a drag is a box around it, with Shift a stroke on it.",
  carve:
    "Draw on an object, and with the right button (or Alt) beside it; what lies between clear boundaries is found, on all planes. S commits it.",
  label: "Click objects of the class that is chosen; click once more to take it back. Keys 1 to 9 choose.",
  select: "Click an object; with Shift, more of them. Keys 1 to 9 then give all of them a class.",
  split: "Draw a line right across an object, from outside to outside.",
  draw: "Draw around what is to be a new object.",
  reassign: "Draw around what belongs to the object that is selected; with Alt, what belongs to none.",
};

/**
 * @param {ObjectDesk} desk
 * @param {Exclude<keyof typeof TOOLS, "click" | "carve">} name
 * @returns {Tool}
 */
export function objectTool(desk, name) {
  if (name === "label") return clicking((at) => toggleClass(desk, at));
  if (name === "select") return clicking((at, event) => choose(desk, at, event.shiftKey));
  return drawing(desk, name);
}

/**
 * @param {(at: [number, number], event: PointerEvent) => void} clicked
 * @returns {Tool}
 */
function clicking(clicked) {
  return { cursor: "pointer", down: clicked };
}

/**
 * @param {ObjectDesk} desk
 * @param {[number, number]} at
 */
async function toggleClass(desk, at) {
  const number = await desk.at(at);
  const row = desk.rowOf.get(number);
  if (!number || row === undefined) return;
  const same = desk.known?.given[row] === desk.label;
  desk.select([]); // or the key of the next class would be meant for this object
  await desk.give([number], same ? 0 : desk.label);
}

/**
 * @param {ObjectDesk} desk
 * @param {[number, number]} at
 * @param {boolean} more
 */
async function choose(desk, at, more) {
  const number = await desk.at(at);
  desk.select(number ? [number] : [], more);
}

/**
 * @param {ObjectDesk} desk
 * @param {"split" | "draw" | "reassign"} kind
 * @returns {Tool}
 */
function drawing(desk, kind) {
  /** @type {[number, number][]} */
  let points = [];
  let none = false;
  let shown = 0; // points that were drawn
  const drop = () => {
    points = [];
  };
  return {
    cursor: "crosshair",
    down(at, event) {
      points = [at];
      none = event.altKey;
    },
    move(at) {
      if (points.length) points.push(...at);
    },
    async up() {
      const drawn = points;
      drop();
      if (drawn.length < 2) return;
      const given = none ? [0] : [...desk.selected];
      await desk.correct(kind, kind === "reassign" ? given : [], drawn);
    },
    retract: drop,
    cancel: drop,
    reach(viewer) {
      const fresh = points.slice(Math.max(0, shown - 2));
      return reached(viewer, fresh.length && kind !== "split" ? [points[0], ...fresh] : fresh);
    },
    draw(context, viewer) {
      shown = points.length;
      if (points.length) line(context, viewer, points, kind !== "split");
    },
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Viewer} viewer
 * @param {[number, number][]} points
 * @param {boolean} closed
 */
function line(context, viewer, points, closed) {
  context.save();
  context.beginPath();
  for (const [y, x] of points) context.lineTo(...viewer.camera.toScreen(y, x));
  if (closed) context.closePath();
  context.lineJoin = "round"; // pointed ones reach far
  for (const [width, style] of [[4, "rgb(0 0 0 / 60%)"], [2, "#ffffff"]]) {
    context.lineWidth = Number(width);
    context.strokeStyle = String(style);
    context.stroke();
  }
  context.restore();
}
