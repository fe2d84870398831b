// The page, put together.

import { App } from "./app.js";
import { byId, el, fill, icon } from "./dom.js";
import { listenToKeys, showKeys } from "./keys.js";
import { Layer } from "./layer.js";
import { notice } from "./notices.js";
import { imagePanel } from "./panel-image.js";
import { modelPanel } from "./panel-model.js";
import { paintPanel } from "./panel-paint.js";
import { resultsPanel } from "./panel-results.js";
import { showTasks } from "./tasks.js";
import { brush, drawStroke, polygon } from "./tools.js";
import { Viewer } from "./viewer.js";

/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Stroke} Stroke */

const LOOK_DELAY = 60;

const app = new App();
const viewer = new Viewer(/** @type {HTMLCanvasElement} */ (byId("canvas")));

// ------------------------------------------------------------------ layers

/**
 * The address of a tile of the image that is looked at.
 * @param {string} kind
 * @param {number} factor
 * @param {number} row
 * @param {number} column
 * @param {string[]} [more]
 */
function address(kind, factor, row, column, more = []) {
  if (!app.state || !app.current) return null;
  const plane = Object.entries(app.plane).map(([axis, at]) => `${axis}=${at}`);
  const query = [...plane, ...more, `e=${app.state.epoch}`].join("&");
  return `/images/${encodeURIComponent(app.image)}/${kind}/${factor}/${row}/${column}?${query}`;
}

/** @returns {string[] | null} how channels are shown, for addresses; null until that is known */
function shownChannels() {
  const channels = app.channels.get(app.image);
  if (!channels) return null;
  return channels.flatMap(({ on, low, high, color }, i) =>
    on ? [`c=${i}:${low}:${high}:${color.slice(1)}`] : [],
  );
}

/** @returns {string | null} what of the result is shown, for addresses */
function shownResult() {
  const { overlay } = app.view;
  if (!app.state?.trained || overlay === "none") return null;
  return overlay === "probability" ? `probability/${app.probability}` : overlay;
}

const changed = () => viewer.redraw();
const failed = (/** @type {string} */ text) => {
  if (app.connected) notice(text, "bad");
};

const pixels = new Layer({
  address: (...tile) => {
    const channels = shownChannels();
    return channels && address("pixels", ...tile, channels);
  },
  changed,
  failed,
  smooth: true,
});
const results = new Layer({
  address: (...tile) => {
    const kind = shownResult();
    return kind && address(kind, ...tile);
  },
  changed,
  failed,
});
const strokes = new Layer({ address: (...tile) => address("strokes", ...tile), changed, failed });
viewer.layers = [pixels, results, strokes];

viewer.addEventListener("drawn", (event) => {
  const context = /** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail;
  for (const { image, plane, stroke } of app.pending) {
    if (image === app.image && samePlane(plane)) drawStroke(context, viewer, stroke, colourOf);
  }
  if (!strokes.busy) app.pending = app.pending.filter((one) => !stored.has(one));
});

/** Strokes that the session has, but whose tiles may not have come yet. */
const stored = new WeakSet();
app.addEventListener("stored", (event) => {
  stored.add(/** @type {CustomEvent<object>} */ (event).detail);
  viewer.redraw();
});

/** @param {Record<string, number>} plane */
function samePlane(plane) {
  return Object.entries(app.plane).every(([axis, at]) => plane[axis] === at);
}

/** @param {number} label */
function colourOf(label) {
  return app.state?.classes.find((one) => one.label === label)?.color ?? "#808080";
}

// ------------------------------------------------------------------ tools

const hand = {
  radius: () => app.view.radius,
  label: () => app.label,
  colour: colourOf,
  done: (/** @type {Stroke} */ stroke) => app.paint(stroke),
};
const closing = polygon(hand);
const TOOLS = {
  pan: { title: "Move (V, or hold Space)", make: () => ({ cursor: "grab" }) },
  brush: { title: "Brush (B)", make: () => brush(hand, false) },
  eraser: { title: "Eraser (E, or hold Alt)", make: () => brush(hand, true) },
  polygon: { title: "Polygon (P); Enter closes it", make: () => closing },
};

/** @param {keyof typeof TOOLS} name */
function chooseTool(name) {
  viewer.setTool(TOOLS[name].make());
  for (const button of byId("tools").querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.getAttribute("data-tool") === name));
  }
}

/** @param {number} radius */
function setRadius(radius) {
  app.look({ radius: Math.min(200, Math.max(0.5, Math.round(radius * 2) / 2)) });
}

function buildTools() {
  const tool = (/** @type {keyof typeof TOOLS} */ name) =>
    el(
      "button",
      {
        class: "flat", type: "button", "data-tool": name, title: TOOLS[name].title,
        "aria-label": TOOLS[name].title, onclick: () => chooseTool(name),
      },
      icon(name),
    );
  const action = (
    /** @type {string} */ id,
    /** @type {any} */ picture,
    /** @type {string} */ title,
    /** @type {() => void} */ run,
  ) =>
    el("button", { id, class: "flat", type: "button", title, "aria-label": title, onclick: run }, icon(picture));
  fill(
    byId("tools"),
    tool("brush"), tool("eraser"), tool("polygon"), tool("pan"),
    el("hr"),
    action("undo", "undo", "Undo (Ctrl+Z)", () => app.ask("undo")),
    action("redo", "redo", "Redo (Ctrl+Shift+Z)", () => app.ask("redo")),
    el("hr"),
    action("next", "target", "Paint here next (N)", paintHereNext),
  );
}

/** Show the place where a stroke would help most. */
async function paintHereNext() {
  const box = await app.ask("suggest", { image: app.image, plane: app.plane });
  if (box === undefined) return;
  if (box === null) notice("Everything in view is painted already.");
  else {
    viewer.camera.show(box);
    viewer.moved();
    suggested = box;
    setTimeout(() => {
      suggested = null;
      viewer.redraw();
    }, 6000);
  }
}

/** @type {import("./types.js").Box | null} */
let suggested = null;
viewer.addEventListener("drawn", (event) => {
  if (!suggested) return;
  const context = /** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail;
  const [x0, y0] = viewer.camera.toScreen(suggested.top, suggested.left);
  const [x1, y1] = viewer.camera.toScreen(suggested.bottom, suggested.right);
  context.lineWidth = 2;
  context.strokeStyle = "#ffffff";
  context.setLineDash([6, 4]);
  context.strokeRect(x0, y0, x1 - x0, y1 - y0);
  context.setLineDash([]);
});

// ------------------------------------------------------------------ the bar and the bottom

function showBar() {
  const { state } = app;
  if (!state) return;
  const select = /** @type {HTMLSelectElement} */ (byId("image-select"));
  fill(select, ...state.images.map(({ key, name }) => el("option", { value: key, text: name })));
  select.value = app.image;
  document.title = `${app.current?.name ?? "Stroma"} - Stroma`;
  /** @type {HTMLButtonElement} */ (byId("undo")).disabled = !state.canUndo;
  /** @type {HTMLButtonElement} */ (byId("redo")).disabled = !state.canRedo;
  byId("saved").textContent = state.project ? `Saved in ${state.project}` : "Not saved in a project";
  showRound();
}

/** @type {Told | null} */
let progress = null;

/** Say what the session is doing, or why it does nothing. */
function showRound() {
  const { state } = app;
  if (!state) return;
  const share = progress?.total ? (progress.done ?? 0) / progress.total : undefined;
  const words = {
    features: "Reading the image", training: "Training", visible: "Updating what you see",
    plane: "Updating the rest",
  };
  const phase = words[/** @type {keyof typeof words} */ (state.phase)] ?? "Working";
  const left = progress?.left ? `, ${Math.ceil(progress.left)} s left` : "";
  if (state.working) {
    fill(
      byId("round"),
      el("span", { class: "dot busy" }),
      `${phase}${left}`,
      ...(share === undefined ? [] : [el("progress", { max: 1, value: share })]),
    );
  } else if (state.message) {
    fill(byId("round"), el("span", { class: "dot warn" }), state.message);
  } else if (state.stale) {
    fill(byId("round"), el("span", { class: "dot warn" }), "Results are older than your strokes");
  } else {
    const text = state.trained ? "Up to date" : "";
    fill(byId("round"), el("span", { class: state.trained ? "dot good" : "dot" }), text);
  }
}

function showSliders() {
  const image = app.current;
  if (!image) return;
  const names = { t: "Time", z: "Plane" };
  const wanted = Object.entries(image.outer).filter(([, size]) => size > 1);
  fill(
    byId("sliders"),
    ...wanted.map(([axis, size]) => {
      const at = app.plane[axis] ?? 0;
      const title = names[/** @type {keyof typeof names} */ (axis)];
      return el(
        "label", {}, title,
        el("input", {
          type: "range", min: 0, max: size - 1, value: at, "data-axis": axis,
          oninput: (/** @type {Event} */ event) => {
            const value = Number(/** @type {HTMLInputElement} */ (event.target).value);
            app.goTo(app.image, { ...app.plane, [axis]: value });
          },
        }),
        el("output", { text: `${at + 1} / ${size}` }),
      );
    }),
  );
}

let sliders = "";
function refreshSliders() {
  const now = JSON.stringify([app.image, app.current?.outer]);
  if (now !== sliders) showSliders();
  sliders = now;
  for (const input of byId("sliders").querySelectorAll("input")) {
    const axis = input.dataset.axis ?? "";
    input.value = String(app.plane[axis]);
    const output = /** @type {HTMLElement} */ (input.nextElementSibling);
    output.textContent = `${app.plane[axis] + 1} / ${app.current?.outer[axis]}`;
  }
}

function showWhere() {
  const image = app.current;
  const percent = viewer.camera.scale * 100;
  byId("zoom-fit").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
  const at = viewer.hover;
  const inside =
    image && at && at[0] >= 0 && at[1] >= 0 && at[0] < image.height && at[1] < image.width;
  byId("where").textContent = inside ? `y ${Math.floor(at[0])}   x ${Math.floor(at[1])}` : "";
}

/** Say what to do first, until it is done. */
function showHint() {
  const { state } = app;
  if (!state) return;
  const painted = state.revision > 0;
  const text = painted || state.trained
    ? ""
    : "Paint a few strokes of each class. The segmentation follows by itself.";
  byId("hint").textContent = text;
}

// ------------------------------------------------------------------ what is told

/** @type {ReturnType<typeof setTimeout> | undefined} */
let looking;

/** Tell the session what is in view, soon. */
function tellView() {
  clearTimeout(looking);
  looking = setTimeout(() => {
    const box = viewer.camera.view();
    if (!app.current || box.bottom <= box.top || box.right <= box.left) return;
    app.ask("look", { image: app.image, plane: app.plane, box });
  }, LOOK_DELAY);
}

let before = "";
function refresh() {
  const image = app.current;
  const now = JSON.stringify([app.image, app.state?.epoch]);
  if (image && now !== before) {
    for (const layer of viewer.layers) layer.clear();
    viewer.setPlane(image.height, image.width);
    if (!app.channels.has(image.key)) loadChannels(image.key);
    before = now;
  }
  document.documentElement.dataset.theme = app.view.theme;
  results.opacity = app.view.opacity;
  strokes.visible = app.view.showStrokes;
  strokes.opacity = 0.9;
  showBar();
  refreshSliders();
  showHint();
  viewer.redraw();
}

/** @param {string} key */
async function loadChannels(key) {
  const channels = await app.ask("channels", { image: key });
  if (channels && !app.channels.has(key)) app.channels.set(key, channels);
  app.changed();
}

/** @type {Record<string, (told: Told) => void>} */
const TOLD = {
  strokes: ({ image, plane, box }) => {
    if (image === app.image && plane && samePlane(plane)) strokes.invalidate(box ?? null);
  },
  block: ({ image, plane, box }) => {
    if (image === app.image && plane && samePlane(plane)) results.invalidate(box ?? null);
  },
  progress: (told) => {
    if (!told.task) progress = told;
    showRound();
  },
  round: ({ what, message }) => {
    progress = null;
    if (what === "failed" && message) notice(message, "bad");
  },
};
app.addEventListener("told", (event) => {
  const { detail } = /** @type {CustomEvent<Told>} */ (event);
  TOLD[detail.event]?.(detail);
});

let plane = "";
let classes = "";
app.addEventListener("change", () => {
  const nowPlane = JSON.stringify([app.image, app.plane]);
  if (nowPlane !== plane) tellView();
  plane = nowPlane;
  const nowClasses = JSON.stringify(app.state?.classes);
  if (nowClasses !== classes) for (const layer of [results, strokes]) layer.invalidate(null);
  classes = nowClasses;
  refresh();
});
viewer.addEventListener("view", () => {
  showWhere();
  tellView();
});
viewer.addEventListener("hover", showWhere);

// ------------------------------------------------------------------ connection

app.connection.addEventListener("open", () => {
  app.connected = true;
  byId("connection").replaceChildren();
  for (const layer of viewer.layers) layer.invalidate(null);
  tellView();
});
app.connection.addEventListener("closed", () => {
  app.connected = false;
  const left = app.connection.outbox.size;
  const kept = left ? ` ${left} changes are kept and sent then.` : "";
  fill(
    byId("connection"),
    el("span", { class: "dot bad" }),
    `Connection lost, trying again.${kept}`,
  );
});

// ------------------------------------------------------------------ start

const panels = {
  paint: { title: "Paint", panel: paintPanel(app, { setRadius, paintHereNext }) },
  image: { title: "Image", panel: imagePanel(app) },
  model: { title: "Model", panel: modelPanel(app) },
  results: { title: "Results", panel: resultsPanel(app) },
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
  app.look({ tab: name });
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

byId("theme").append(icon("theme"));
byId("theme").addEventListener("click", () => {
  app.look({ theme: app.view.theme === "dark" ? "light" : "dark" });
});
byId("help").append(icon("help"));
byId("help").addEventListener("click", showKeys);
byId("zoom-in").addEventListener("click", () => viewer.zoomBy(1.5));
byId("zoom-out").addEventListener("click", () => viewer.zoomBy(1 / 1.5));
byId("zoom-fit").addEventListener("click", () => viewer.fit());
byId("image-select").addEventListener("change", (event) => {
  app.goTo(/** @type {HTMLSelectElement} */ (event.target).value);
});
showTasks(app);
buildTools();
buildTabs();
chooseTool("brush");
listenToKeys({ app, viewer, chooseTool, setRadius, paintHereNext, closing });
app.connection.connect();
