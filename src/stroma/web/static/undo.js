// Undo and redo: where something changed that is not on the screen, the page goes there and says so.

import { byId } from "./dom.js";
import { notice } from "./notices.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Box} Box */

/** @typedef {{image: string, plane: Record<string, number>, box: Box}} Place */

/** Pixels of the screen that are left free below notices, and that the scale and the readout take. */
const BESIDE = 24;
const BELOW = 60;

const KINDS = {
  paint: "a stroke",
  erase: "erasing",
  fill: "a filled area",
  stamp: "a filled area",
  clear: "clearing strokes",
  import: "importing strokes",
  class: "a change of classes",
  "remove class": "removing a class",
  track: "tracking",
  "link tracks": "a link of tracks",
  "unlink tracks": "a cut link of tracks",
  "divide tracks": "a division",
  "merge tracks": "a merger",
  "swap tracks": "a swap of tracks",
  "delete tracks": "a deleted object",
  objects: "other objects",
  "find objects": "how objects are found",
  "commit object": "an object",
  "label objects": "labelling objects",
  "object class": "a class of objects",
  "remove object class": "removing a class of objects",
  "correct objects": "a correction of objects",
  "follow objects": "which objects are followed",
  "join table": "a table that joined",
  "carve stroke": "a stroke to carve by",
  "take back carve stroke": "taking back a stroke to carve by",
  "clear carving": "clearing strokes to carve by",
  "commit carved object": "a carved object",
  "reopen carved object": "reopening a carved object",
  "lock carved object": "a lock of a carved object",
  "boundaries to carve": "boundaries to carve along",
};
const AXES = { t: "time", z: "plane", y: "y", x: "x" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {"undo" | "redo"} command
 */
export async function step(app, viewer, command) {
  await app.unsent;
  /** @type {{kind: string, places: Place[]} | undefined} */
  const done = await app.ask(command);
  if (!done?.kind) return;
  const { kind, places } = done;
  const seen = places.some((place) => isInView(app, viewer, place));
  if (seen || (!places.length && kind === "class")) return;
  const verb = command === "undo" ? "Undone" : "Done again";
  const what = KINDS[/** @type {keyof typeof KINDS} */ (kind)] ?? kind;
  const where = places.length ? ` on ${nameOf(app, places[0])}` : "";
  notice(`${verb}: ${what}${where}.`, "plain", { key: "undo" });
  if (places.length) goToPlace(app, viewer, places[0]);
}

/**
 * Show a place, on whichever plane and image it is.
 * @param {App} app
 * @param {Viewer} viewer
 * @param {Place} place
 */
export function goToPlace(app, viewer, { image, plane, box }) {
  if (!app.isShown(image, plane)) app.goTo(image, plane);
  const told = byId("notices").offsetHeight;
  viewer.camera.show(box, { above: told && told + BESIDE, below: BELOW });
  viewer.moved();
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {Place} place
 */
function isInView(app, viewer, { image, plane, box }) {
  const view = viewer.camera.view();
  return (
    app.isShown(image, plane) &&
    box.top < view.bottom && view.top < box.bottom && box.left < view.right && view.left < box.right
  );
}

/**
 * @param {App} app
 * @param {Place} place
 */
function nameOf(app, { image, plane }) {
  const one = app.state?.images.find(({ key }) => key === image);
  const at = Object.entries(plane)
    .filter(([axis]) => (one?.outer[axis] ?? 2) > 1)
    .map(([axis, index]) => `, ${AXES[/** @type {keyof typeof AXES} */ (axis)]} ${index + 1}`);
  return `${one?.name ?? image}${at.join("")}`;
}
