// Keys: the same actions as the buttons have.

import { openDialog } from "./dialog.js";
import { byId, el } from "./dom.js";
import { showImages } from "./images.js";
import { trainNow } from "./panel-paint.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */

/**
 * @typedef {object} Actions
 * @property {App} app
 * @property {Viewer} viewer
 * @property {(name: any) => void} chooseTool
 * @property {(radius: number) => void} setRadius
 * @property {() => void} paintHereNext
 * @property {(command: "undo" | "redo") => void} step
 * @property {{close: () => void, back: () => void, cancel?: () => void}} closing
 */

const KEYS = [
  ["B  E  P  V", "brush, eraser, polygon, move"],
  ["F", "pick tracked objects, and follow the last one"],
  ["W  G", "magic wand: paint what looks alike (Alt erases); fill what strokes enclose"],
  ["D", "delete a stroke by clicking it"],
  ["1 … 9", "choose a class"],
  ["[  ]  Shift + wheel", "smaller or larger brush"],
  ["Alt + drag", "erase with the brush"],
  ["Shift + click", "a straight line from where the last stroke ended"],
  ["Enter  Backspace  Esc", "close, shorten or drop a polygon"],
  ["Ctrl+Z  Ctrl+Shift+Z", "undo, redo"],
  ["Space + drag  Middle button", "move the image"],
  ["Wheel  Pinch  +  -  0", "zoom; 0 shows the whole plane"],
  ["Pen", "paints; then one finger moves, two zoom"],
  ["Arrows", "move the image, when it has the focus"],
  [",  .", "previous or next plane"],
  ["X  Y  Z", "of a volume: planes across x (yz), y (xz) or z (xy)"],
  ["Ctrl + click", "of a volume: where the three planes meet"],
  ["Shift + ,  Shift + .", "previous or next time"],
  ["Ctrl + Page Up / Down", "previous or next image"],
  ["I", "all images: find one, go there"],
  ["O  S", "results on or off, strokes on or off"],
  ["T", "train now"],
  ["A", "objects: click them; S or Enter commits, C or Esc clears, W another meaning, N accepts the image, Shift+N skips it"],
  ["K", "objects: carve them; S or Enter commits, C or Esc clears, Backspace takes back a stroke"],
  ["L  Q  C  D  G", "objects: click a class, select, cut, draw, give"],
  ["M  F  Del  J", "objects: merge, fill, delete those selected; label this next"],
  ["N", "show where to paint next"],
  ["?", "this list"],
];

/** Show the list of keys. */
export function showKeys() {
  const rows = KEYS.flatMap(([keys, what]) => [
    el("dt", { class: "row" }, ...keys.split("  ").map((key) => el("kbd", { text: key }))),
    el("dd", { text: what }),
  ]);
  openDialog("Keys", el("dl", {}, ...rows));
}

/**
 * @param {Actions} actions
 */
export function listenToKeys(actions) {
  window.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || isTyping(event) || byId("dialog").hasAttribute("open")) return;
    const run = event.ctrlKey || event.metaKey ? withControl(event, actions) : plain(event, actions);
    if (!run) return;
    event.preventDefault();
    run();
  });
}

/**
 * Tell whether a key belongs to what has the focus.
 * @param {KeyboardEvent} event
 */
function isTyping(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target instanceof HTMLInputElement) {
    const taken = target.type === "range" ? /^(Arrow|Page|Home|End)/ : /./;
    return target.type !== "checkbox" && taken.test(event.key);
  }
  const onButton = target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ");
  return onButton || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}

/**
 * @param {KeyboardEvent} event
 * @param {Actions} actions
 * @returns {(() => void) | undefined}
 */
function withControl(event, { app, step }) {
  const key = event.key.toLowerCase();
  if (key === "z") return () => step(event.shiftKey ? "redo" : "undo");
  if (key === "y") return () => step("redo");
  if (key === "pageup") return () => nextImage(app, -1);
  if (key === "pagedown") return () => nextImage(app, 1);
  return undefined;
}

/**
 * @param {KeyboardEvent} event
 * @param {Actions} actions
 * @returns {(() => void) | undefined}
 */
function plain(event, { app, viewer, chooseTool, setRadius, paintHereNext, closing }) {
  const digit = /^Digit([1-9])$/.exec(event.code) ?? /^Numpad([1-9])$/.exec(event.code);
  if (digit) return () => chooseClass(app, Number(digit[1]));
  const inTime = event.shiftKey && { Comma: -1, Period: 1 }[event.code]; // whatever Shift makes of them
  if (inTime) return () => nextPlane(app, "t", inTime);
  const { radius, showStrokes } = app.view;
  const step = Math.max(0.5, radius * 0.2);
  /** @type {Record<string, () => void>} */
  const keys = {
    b: () => chooseTool("brush"),
    e: () => chooseTool("eraser"),
    p: () => chooseTool("polygon"),
    f: () => chooseTool("follow"),
    w: () => chooseTool("wand"),
    g: () => chooseTool("bucket"),
    d: () => chooseTool("remove"),
    v: () => chooseTool("pan"),
    "[": () => setRadius(radius - step),
    "]": () => setRadius(radius + step),
    "+": () => viewer.zoomBy(1.5),
    "=": () => viewer.zoomBy(1.5),
    "-": () => viewer.zoomBy(1 / 1.5),
    0: () => viewer.fit(),
    ",": () => nextPlane(app, app.across, -1),
    ".": () => nextPlane(app, app.across, 1),
    o: () => toggleOverlay(app),
    s: () => app.look({ showStrokes: !showStrokes }),
    i: () => showImages(app),
    t: () => trainNow(app),
    n: paintHereNext,
    "?": showKeys,
    enter: closing.close,
    backspace: closing.back,
    escape: () => {
      closing.cancel?.();
      viewer.redraw();
    },
  };
  const turns = app.isVolume ? ["x", "y", "z"].map((axis) => [axis, () => app.turn(axis)]) : [];
  return { ...keys, ...Object.fromEntries(turns) }[event.key.toLowerCase()];
}

/**
 * @param {App} app
 * @param {number} number
 */
function chooseClass(app, number) {
  const one = app.state?.classes[number - 1];
  if (one) app.chooseClass(one.label);
}

let shownBefore = "labels";

/** @param {App} app */
function toggleOverlay(app) {
  const { overlay } = app.view;
  if (overlay !== "none") shownBefore = overlay;
  app.look({ overlay: overlay === "none" ? shownBefore : "none" });
}

/**
 * @param {App} app
 * @param {string} axis
 * @param {number} step
 */
function nextPlane(app, axis, step) {
  if (app.plane[axis] !== undefined) app.moveCross({ [axis]: app.plane[axis] + step });
}

/**
 * @param {App} app
 * @param {number} step
 */
export function nextImage(app, step) {
  const images = app.state?.images ?? [];
  const at = images.findIndex((one) => one.key === app.image) + step;
  if (images[at]) app.goTo(images[at].key);
}
