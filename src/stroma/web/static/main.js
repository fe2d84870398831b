// The page, put together.

import { showWayBack } from "./leaving.js";
import { App } from "./app.js";
import { showBar } from "./bar.js";
import { byId, el, fill, icon } from "./dom.js";
import { asDropped, choosesFiles, openImages, takeDrops } from "./files.js";
import { showImagesButton } from "./images.js";
import { listenToKeys } from "./keys.js";
import { forget, notice } from "./notices.js";
import { imagePanel } from "./panel-image.js";
import { picker, remover } from "./picking.js";
import { showMinimap } from "./minimap.js";
import { ObjectDesk } from "./object-desk.js";
import { modelPanel } from "./panel-model.js";
import { objectsPanel } from "./panel-objects.js";
import { paintPanel } from "./panel-paint.js";
import { resultsPanel } from "./panel-results.js";
import { tracksPanel } from "./panel-tracks.js";
import { showPanes } from "./panes.js";
import { showPlanes } from "./planes.js";
import { showReadout } from "./readout.js";
import { followStanding } from "./standing.js";
import { showTasks } from "./tasks.js";
import { brush, brushRadius, polygon } from "./tools.js";
import { Tracks } from "./tracks.js";
import { goToPlace, step } from "./undo.js";
import { Viewer } from "./viewer.js";
import { settled } from "./widgets.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Stroke} Stroke */

const LOOK_DELAY = 60;

const app = new App();
const viewer = new Viewer(/** @type {HTMLCanvasElement} */ (byId("canvas")));
const tracks = new Tracks(app, viewer);

// ------------------------------------------------------------------ tools

const hand = {
  radius: () => brushRadius(app.view, viewer.camera.scale),
  label: () => app.label,
  colour: (/** @type {number} */ label) => app.colourOf(label),
  where: () => JSON.stringify([app.image, app.plane]),
  done: (/** @type {Stroke} */ stroke) => app.paint(stroke),
};
const closing = polygon(hand);
const TOOLS = {
  brush: { title: "Brush (B)", make: () => brush(hand, false) },
  eraser: { title: "Eraser (E, or hold Alt)", make: () => brush(hand, true) },
  polygon: { title: "Polygon (P); Enter closes it", make: () => closing },
  follow: { title: "Pick tracked objects, and follow one (F)", make: () => tracks.tool },
  wand: { title: "Magic wand (W): paints what looks alike; Alt erases", make: () => picker(app, viewer, "wand") },
  bucket: { title: "Fill (G): paints what strokes enclose", make: () => picker(app, viewer, "bucket") },
  remove: { title: "Delete a stroke by clicking it (D)", make: () => remover(app, viewer) },
  pan: { title: "Move (V, or hold Space)", make: () => ({ cursor: "grab" }) },
};

/** @type {keyof typeof TOOLS} */
let tool = "brush";
/** @type {import("./viewer.js").Tool | null} that tool, as long as no other is in hand */
let taken = null;

/** Tools that paint: who takes one on a tab that shows no strokes wants to paint. */
const PAINTING = new Set(["brush", "eraser", "polygon", "wand", "bucket", "remove"]);

/** @param {keyof typeof TOOLS} name */
function take(name) {
  tool = name;
  taken = TOOLS[name].make();
  viewer.setTool(taken);
  byId("tools").dispatchEvent(new CustomEvent("chosen", { detail: name }));
}

/** @param {keyof typeof TOOLS} name */
function chooseTool(name) {
  take(name);
  if (PAINTING.has(name) && app.view.tab === "objects") showTab("paint");
}

// Other tools than these, as those for objects, may be in hand: then none of these is.
viewer.addEventListener("tool", () => {
  for (const button of byId("tools").querySelectorAll("[data-tool]")) {
    const pressed = viewer.tool === taken && button.getAttribute("data-tool") === tool;
    button.setAttribute("aria-pressed", String(pressed));
  }
});

// Who chooses a class wants to paint it.
app.addEventListener("class", () => {
  if (tool === "eraser" || tool === "remove" || tool === "pan") chooseTool("brush");
});

/** @param {number} radius */
function setRadius(radius) {
  app.look({ radius: Math.min(200, Math.max(0.5, Math.round(radius * 2) / 2)) });
}

viewer.addEventListener("size", (event) => {
  const steps = /** @type {CustomEvent<number>} */ (event).detail;
  const { radius } = app.view;
  const wanted = radius * 1.15 ** steps;
  setRadius(steps > 0 ? Math.max(wanted, radius + 0.5) : Math.min(wanted, radius - 0.5));
});

/**
 * A button with a picture.
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} title
 * @param {() => void} run
 * @param {Record<string, string>} more
 */
function iconButton(picture, title, run, more) {
  const words = { type: "button", title, "aria-label": title };
  return el("button", { class: "flat", ...words, ...more, onclick: run }, icon(picture));
}

const back = (/** @type {"undo" | "redo"} */ command) => step(app, viewer, command);

function buildTools() {
  const names = /** @type {(keyof typeof TOOLS)[]} */ (Object.keys(TOOLS));
  const undo = iconButton("undo", "Undo (Ctrl+Z)", () => back("undo"), { id: "undo" });
  const redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => back("redo"), { id: "redo" });
  fill(
    byId("tools"),
    ...names.map((name) =>
      iconButton(name, TOOLS[name].title, () => chooseTool(name), { "data-tool": name }),
    ),
    el("hr"),
    undo,
    redo,
  );
  app.addEventListener("change", () => {
    undo.disabled = !app.state?.canUndo;
    redo.disabled = !app.state?.canRedo;
  });
}

// ------------------------------------------------------------------ paint here next

/**
 * Where a stroke would help most; shown until something is painted, or Escape is pressed.
 * @typedef {{image: string, plane: Record<string, number>, box: Box, between: number[], uncertainty: number | null, distance: number | null}} Suggested
 */

/** @type {Suggested | null} */
let suggested = null;

/** Show the place where a stroke would help most, on whichever plane and image it is. */
async function paintHereNext() {
  /** @type {Suggested | null | undefined} */
  const found = await app.ask("suggest", { image: app.image, plane: app.plane });
  if (found === null) notice("There is no uncertain place without strokes.");
  if (!found) return;
  suggested = found;
  notice(whyHere(found), "plain", { key: "suggested" });
  goToPlace(app, viewer, found);
}

/**
 * Say why a stroke would help at a place.
 * @param {Suggested} found
 */
function whyHere({ between, uncertainty, distance }) {
  const names = between.map((label) => app.state?.classes.find((one) => one.label === label)?.name ?? String(label));
  const torn = names.length === 2 ? `between ${names[0]} and ${names[1]}` : "between the classes";
  const much = uncertainty === null ? "" : ` (${Math.round(100 * uncertainty)} % uncertain on average)`;
  const far = distance === null ? "No stroke is on this plane yet." : `The nearest stroke is ${Math.round(distance)} px away.`;
  return `Why here: in the dashed square the model wavers ${torn}${much}. ${far}`;
}

/** @param {Event} event */
function forgetSuggested(event) {
  if (event instanceof KeyboardEvent && event.key !== "Escape") return;
  suggested = null;
  forget("suggested");
  viewer.redraw();
}
app.addEventListener("stored", forgetSuggested);
window.addEventListener("keydown", forgetSuggested);

viewer.addEventListener("drawn", (event) => {
  const context = /** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail;
  const { region } = app.sheet;
  if (region && region.bottom > region.top) outline(context, region, []);
  if (suggested && app.isShown(suggested.image, suggested.plane)) outline(context, suggested.box, [7, 5]);
});

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Box} box
 * @param {number[]} dashes
 */
function outline(context, box, dashes) {
  const [x0, y0] = viewer.camera.toScreen(box.top, box.left);
  const [x1, y1] = viewer.camera.toScreen(box.bottom, box.right);
  context.save();
  for (const [width, style] of [[4, "rgb(0 0 0 / 60%)"], [2, "#ffffff"]]) {
    context.lineWidth = Number(width);
    context.strokeStyle = String(style);
    context.setLineDash(dashes);
    context.strokeRect(x0, y0, x1 - x0, y1 - y0);
  }
  context.restore();
}

// ------------------------------------------------------------------ what this tab looks at

const tellView = settled(() => {
  const box = viewer.camera.view();
  if (!app.current || box.bottom <= box.top || box.right <= box.left) return;
  app.ask("look", { image: app.image, plane: app.plane, box });
}, LOOK_DELAY);

let looked = "";
app.addEventListener("change", () => {
  const now = JSON.stringify([app.image, app.plane]);
  if (now !== looked) tellView();
  looked = now;
  app.loadChannels();
});
viewer.addEventListener("view", tellView);
app.connection.addEventListener("open", tellView);

// ------------------------------------------------------------------ panels

const desk = new ObjectDesk(app, viewer);
const panels = {
  paint: { title: "Paint", panel: paintPanel(app, { setRadius, paintHereNext }) },
  image: { title: "Image", panel: imagePanel(app, () => viewer.camera.view()) },
  model: { title: "Model", panel: modelPanel(app, () => viewer.camera.view()) },
  objects: { title: "Objects", panel: objectsPanel(app, viewer, desk) },
  results: { title: "Results", panel: resultsPanel(app, viewer) },
  tracks: { title: "Tracks", panel: tracksPanel(app, tracks, () => chooseTool("follow")) },
};

function buildTabs() {
  for (const [name, { title, panel }] of Object.entries(panels)) {
    panel.id = `panel-${name}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    byId("panels").append(panel);
    byId("tabs").append(
      el("button", {
        id: `tab-${name}`, type: "button", role: "tab", text: title, "aria-controls": panel.id,
        onclick: () => showTab(name),
        onkeydown: (/** @type {KeyboardEvent} */ event) => moveTab(event, name),
      }),
    );
  }
  showTab(app.view.tab in panels ? app.view.tab : "paint");
}

/** @param {string} name */
function showTab(name) {
  for (const other of Object.keys(panels)) {
    const chosen = other === name;
    byId(`tab-${other}`).setAttribute("aria-selected", String(chosen));
    byId(`tab-${other}`).tabIndex = chosen ? 0 : -1;
    byId(`panel-${other}`).hidden = !chosen;
  }
  const left = app.view.tab === "objects" && name !== "objects";
  app.look({ tab: name });
  if (left && viewer.tool !== taken) take(tool);
}

/**
 * @param {KeyboardEvent} event
 * @param {string} name
 */
function moveTab(event, name) {
  const names = Object.keys(panels);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = names[(names.indexOf(name) + step + names.length) % names.length];
  showTab(next);
  byId(`tab-${next}`).focus();
}

// ------------------------------------------------------------------ start

showPlanes(app, viewer);
showPanes(app, viewer);
followStanding(app, viewer);
showReadout(app, viewer);
showMinimap(app, viewer);
showBar(app, viewer);
showImagesButton(app);
showTasks(app);
choosesFiles(
  /** @type {HTMLButtonElement} */ (byId("open-images")),
  {
    id: "image-files", title: "Images to open", multiple: true,
    accept: () => app.state?.uploads.images.endings ?? [],
  },
  (files) => openImages(app, files.map(asDropped)),
);
takeDrops(app);
showWayBack(app);
buildTools();
take("brush");
buildTabs(); // the tab of the last visit may take another tool
listenToKeys({ app, viewer, chooseTool, setRadius, paintHereNext, closing, step: back });
app.connection.connect();
