// The bar at the top and the controls at the bottom: which image and plane, and how things stand.

import { closeImage } from "./closing.js";
import { byId, el, fill, icon } from "./dom.js";
import { showKeys } from "./keys.js";
import { holds, showAgain } from "./notices.js";
import { NAMES, sizesOf } from "./slices.js";
import { subject } from "./standing.js";
import { timeLeft } from "./tasks.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */

const PHASES = {
  features: "Reading the image",
  training: "Training",
  glance: "A coarse answer first",
  visible: "Updating what you see",
  plane: "Updating the rest of the plane",
};
/** @type {Record<import("./types.js").Stand, [string, string]>} */
const STANDINGS = {
  absent: ["", "Nothing is computed here yet"],
  computing: ["busy", "Working"],
  current: ["good", "Up to date"],
  older: ["warn", "Results are older than your strokes"],
  failed: ["bad", "It failed"],
};
const LONG_WAIT = 2000;

/**
 * Build both, and keep them up to date.
 * @param {App} app
 * @param {Viewer} viewer
 */
export function showBar(app, viewer) {
  buildButtons(app, viewer);
  followRound(app);
  followConnection(app);
  app.addEventListener("change", () => {
    showState(app);
    showSliders(app);
  });
  viewer.addEventListener("view", () => showZoom(viewer));
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
function buildButtons(app, viewer) {
  byId("theme").append(icon("theme"));
  byId("theme").addEventListener("click", () => {
    app.look({ theme: app.view.theme === "dark" ? "light" : "dark" });
  });
  byId("help").append(icon("help"));
  byId("help").addEventListener("click", showKeys);
  byId("close-image").append(icon("close"));
  byId("close-image").addEventListener("click", () => closeImage(app));
  byId("zoom-in").addEventListener("click", () => viewer.zoomBy(1.5));
  byId("zoom-out").addEventListener("click", () => viewer.zoomBy(1 / 1.5));
  byId("zoom-fit").addEventListener("click", () => viewer.fit());
  byId("image-select").addEventListener("change", (event) => {
    app.goTo(/** @type {HTMLSelectElement} */ (event.target).value);
  });
}

/** @param {App} app */
function showState(app) {
  const { state } = app;
  document.documentElement.dataset.theme = app.view.theme;
  if (!state) return;
  const select = /** @type {HTMLSelectElement} */ (byId("image-select"));
  fill(select, ...state.images.map(({ key, name }) => el("option", { value: key, text: name })));
  select.value = app.image;
  /** @type {HTMLButtonElement} */ (byId("close-image")).disabled = !app.current;
  document.title = `${app.current?.name ?? "Stroma"} - Stroma`;
  byId("saved").textContent = whereSaved(state);
  byId("saved").title = state.unsaved;
  byId("saved").classList.toggle("unsaved", Boolean(state.unsaved));
  byId("hint").textContent = app.outlined ? "" : hint(state, app.current);
}

/** @param {import("./types.js").State} state */
function whereSaved({ project, unsaved }) {
  if (unsaved) return "Not saved";
  return project ? `Saved in ${project}` : "In memory only";
}

/**
 * @param {import("./types.js").State} state
 * @param {import("./types.js").Img} [image] the one that is looked at
 */
function hint(state, image) {
  if (image?.address) {
    return `${image.name} was not asked for, or could not be had. Reload this page to ask ${image.address}.`;
  }
  if (image?.missing) {
    return (
      `${image.name} is not where it was. Your strokes are kept: put it back and start Stroma again, ` +
      `or start it with: stroma paint PLACE/${image.name} --project ${state.project}`
    );
  }
  if (!state.images.length) return "Drop an image here, or choose one with Open images.";
  if (state.applied) return state.applied;
  if (state.trained) return "";
  if (!state.lacking) return "";
  const first = "Paint a few strokes of each class. The segmentation follows by itself.";
  return state.lacking.startsWith("Only") ? state.lacking : first;
}

/**
 * Say what the session is doing, or why it does nothing.
 * @param {App} app
 */
function followRound(app) {
  /** @type {Told | null} */
  let progress = null;
  const show = () => {
    if (app.state) fill(byId("round"), ...roundWords(app, progress));
  };
  app.addEventListener("change", () => {
    if (!app.state?.working) progress = null;
    holds("round", app.state?.message ?? "");
    show();
  });
  app.addEventListener("told", (event) => {
    const { detail } = /** @type {CustomEvent<Told>} */ (event);
    if (detail.event === "progress" && !detail.task) progress = detail;
    if (detail.event === "round") progress = null;
    show();
  });
}

/**
 * @param {App} app
 * @param {Told | null} progress
 * @returns {(Node | string)[]}
 */
function roundWords(app, progress) {
  const { state } = app;
  if (!state || !app.current) return [];
  if (state.working) return working(app, progress);
  if (state.message) return [...said(...STANDINGS.failed), whyButton()];
  if (!state.trained) return [];
  const { standing } = app;
  if (standing?.about !== subject(app)) return [];
  return said(...STANDINGS[standing.state], standing.reason);
}

function whyButton() {
  return el("button", { class: "flat wide", type: "button", text: "Why?", onclick: () => showAgain("round") });
}

/**
 * Say what is under way, and how far it is. What is not in view has no end that could be foretold:
 * it grows with the plane, so its share is told and no time.
 * @param {App} app
 * @param {Told | null} progress
 */
function working({ state, standing }, progress) {
  const phase = state?.phase ?? "";
  const words = PHASES[/** @type {keyof typeof PHASES} */ (phase)] ?? "Working";
  if (phase === "plane") {
    const share = Math.floor(100 * (standing?.share ?? 0));
    return said("busy", `${words}, ${share} %`);
  }
  const left = progress?.left ? `, ${timeLeft(progress.left)}` : "";
  const bar = progress?.total && el("progress", { max: progress.total, value: progress.done });
  return [...said("busy", `${words}${left}`), ...(bar ? [bar] : [])];
}

/**
 * @param {string} kind
 * @param {string} words
 * @param {string} [reason]
 * @returns {(Node | string)[]}
 */
function said(kind, words, reason) {
  return [el("span", { class: `dot ${kind}` }), el("span", { text: words, title: reason || null })];
}

/** @param {App} app */
function followConnection(app) {
  app.connection.addEventListener("open", () => {
    app.connected = true;
    byId("connection").replaceChildren();
  });
  const lost = () => {
    const left = app.connection.outbox.size;
    const kept = left ? ` What you do meanwhile is kept (${left}).` : "";
    const long = app.connection.wait > LONG_WAIT;
    const next = long ? ". If Stroma was stopped, start it again and open its address." : ", trying again.";
    const text = `Connection lost${next}${kept}`;
    fill(byId("connection"), el("span", { class: "dot bad" }), text);
  };
  app.connection.addEventListener("closed", () => {
    app.connected = false;
    lost();
  });
  app.connection.addEventListener("unanswered", () => {
    if (!app.connected && byId("connection").childElementCount) lost();
  });
}

let sliders = "";

/** @param {App} app */
function showSliders(app) {
  const image = app.current;
  if (!image) return;
  const sizes = sizesOf(image);
  const now = JSON.stringify([app.image, image.outer, app.across]);
  if (now !== sliders) {
    const axes = app.isVolume ? ["t", app.across] : Object.keys(image.outer);
    const wanted = axes.filter((axis) => (sizes[axis] ?? 1) > 1);
    const turns = app.isVolume ? [turnButtons(app)] : [];
    fill(byId("sliders"), ...turns, ...wanted.map((axis) => slider(app, axis, sizes[axis])));
  }
  sliders = now;
  for (const input of byId("sliders").querySelectorAll("input")) {
    const axis = input.dataset.axis ?? "";
    input.value = String(app.plane[axis]);
    const output = /** @type {HTMLElement} */ (input.nextElementSibling);
    output.textContent = `${app.plane[axis] + 1} / ${sizes[axis]}`;
  }
}

/** @param {App} app */
function turnButtons(app) {
  const button = (/** @type {string} */ axis, /** @type {string} */ name) =>
    el("button", {
      type: "button", text: name, "data-across": axis, "aria-pressed": String(axis === app.across),
      title: `Paint on ${name} planes (${axis.toUpperCase()})`, onclick: () => app.turn(axis),
    });
  const all = Object.entries(NAMES).map(([axis, name]) => button(axis, name));
  return el("div", { class: "turns", role: "group", "aria-label": "Planes" }, ...all);
}

/**
 * @param {App} app
 * @param {string} axis
 * @param {number} size
 */
function slider(app, axis, size) {
  return el(
    "label",
    {},
    axis === "t" ? "Time" : "Plane",
    el("input", {
      type: "range", min: 0, max: size - 1, value: 0, "data-axis": axis,
      oninput: (/** @type {Event} */ event) => {
        const at = Number(/** @type {HTMLInputElement} */ (event.target).value);
        app.moveCross({ [axis]: at });
      },
    }),
    el("output"),
  );
}

/** @param {Viewer} viewer */
function showZoom(viewer) {
  const percent = viewer.camera.scale * 100;
  byId("zoom-fit").textContent = `${percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}
