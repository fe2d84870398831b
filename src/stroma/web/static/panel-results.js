// The panel "Results": how much there is of every class, files, the model, code.

import { exportGroup, link } from "./batch.js";
import { openDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { choosesFiles, importStrokes } from "./files.js";
import { showParts, showVolumes } from "./parts.js";
import { subject } from "./standing.js";
import { showWhile } from "./tasks.js";
import { group } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */

const STROKES = { ".tif": "label TIFF", ".zip": "ImageJ ROIs", ".geojson": "QuPath GeoJSON" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
export function resultsPanel(app, viewer) {
  return el("div", { class: "panel" }, areaGroup(app, viewer), exportGroup(app), keepGroup(app));
}

// ------------------------------------------------------------------ areas

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
function areaGroup(app, viewer) {
  const heads = ["Class", "Area", "Share", "Parts"].map((text) => el("th", { text, scope: "col" }));
  const body = el("tbody", { id: "areas" });
  const table = el("table", { hidden: true }, el("thead", {}, el("tr", {}, ...heads)), body);
  const note = el("p", { class: "note", id: "areas-note" });
  let measured = "";
  let asked = "";
  const measure = async () => {
    const about = measurable(app);
    if (!about || about === measured || about === asked || app.view.tab !== "results") return;
    asked = about;
    const found = await app.ask("areas", { image: app.image, plane: app.plane });
    asked = "";
    if (found && about === measurable(app)) {
      measured = about;
      fill(body, ...found.map((/** @type {any} */ one) => areaRow(app, one)));
    }
    show();
  };
  const show = () => {
    const about = measurable(app);
    table.hidden = !about || about !== measured;
    note.textContent = table.hidden ? whyNot(app) : olderWords(app);
    note.hidden = !note.textContent;
  };
  app.addEventListener("change", () => {
    show();
    measure();
  });
  const list = el("button", {
    type: "button", id: "list-parts", text: "List the parts…", onclick: () => showParts(app, viewer),
    title: "Every connected part with its size; click one to go there",
  });
  const volume = el("button", {
    type: "button", id: "measure-volume", text: "Measure the volume…", hidden: true,
    onclick: () => showVolumes(app, viewer),
    title: "Segments all planes, and lists classes and parts over all of them; takes a while",
  });
  app.addEventListener("change", () => {
    list.disabled = !measurable(app);
    volume.hidden = !app.isVolume;
    volume.disabled = !app.state?.trained;
  });
  return group("Areas on this plane", table, note, el("div", { class: "buttons" }, list, volume));
}

/**
 * Return what areas are about; empty while there is nothing on the screen that could be measured.
 * @param {App} app
 */
function measurable(app) {
  const { state, standing } = app;
  if (!state?.trained || standing?.about !== subject(app)) return "";
  if (standing.whole !== "current" && standing.whole !== "older") return "";
  return JSON.stringify([standing.about, standing.tag, state.classes]);
}

/** @param {App} app */
function whyNot({ state, standing }) {
  if (!state?.trained) return "Nothing to measure yet: paint two classes first.";
  if (state.working || standing?.whole === "current") return "Measuring…";
  return "Nothing is computed here yet. Train, and this plane is measured.";
}

/** @param {App} app */
function olderWords({ standing }) {
  return standing?.whole === "older" ? "Of results that are older than your strokes." : "";
}

/**
 * @param {App} app
 * @param {{label: number, area: number, share: number, components: number}} covered
 */
function areaRow(app, { label, area, share, components }) {
  const one = app.state?.classes.find((c) => c.label === label);
  const swatch = el("span", { class: "swatch" });
  swatch.style.setProperty("background", one?.color ?? "gray");
  return el(
    "tr",
    {},
    el("td", { title: one?.name ?? "" }, swatch, one?.name ?? String(label)),
    el("td", { text: areaWords(area, app.sheet.pixel), title: `${area.toLocaleString("en")} px` }),
    el("td", { text: `${(100 * share).toFixed(1)} %` }),
    el("td", { text: components.toLocaleString("en") }),
  );
}

/**
 * @param {number} area pixels
 * @param {[number, number] | null} pixel
 */
function areaWords(area, pixel) {
  if (!pixel) return `${area.toLocaleString("en")} px`;
  const found = area * pixel[0] * pixel[1];
  return found < 1e6 ? `${Number(found.toPrecision(4))} µm²` : `${Number((found / 1e6).toPrecision(4))} mm²`;
}

// ------------------------------------------------------------------ model and code

/** @param {App} app */
function keepGroup(app) {
  const download = async (/** @type {string} */ command, values = {}) => {
    const file = await showWhile("Saving", app.ask(command, { image: app.image, ...values }));
    if (file) link(file).click();
  };
  const model = el("button", {
    type: "button", id: "save-model", text: "Save model", title: "For stroma segment, Python and napari",
    onclick: () => download("save-model"),
  });
  const format = el(
    "select",
    { id: "strokes-format" },
    ...Object.entries(STROKES).map(([value, text]) => el("option", { value, text })),
  );
  const strokes = el("button", {
    type: "button", id: "save-strokes", text: "Save strokes", title: "Of this image",
    onclick: () => download("save-strokes", { format: format.value }),
  });
  const bring = el("button", {
    type: "button", id: "import-strokes", text: "Import strokes…",
    title: "A label image, ImageJ ROIs or QuPath GeoJSON, laid over the strokes of this image",
  });
  const code = el("button", { type: "button", id: "code", text: "Show as code", onclick: () => showCode(app) });
  app.addEventListener("change", () => {
    model.disabled = !app.state?.trained;
  });
  const buttons = el("div", { class: "buttons" }, model, code, strokes, bring);
  const choice = { id: "stroke-files", title: "Strokes to import", multiple: false };
  const accept = () => {
    const { strokes: marks, images } = app.state?.uploads ?? {};
    return [...(marks?.endings ?? []), ...(images?.endings ?? [])];
  };
  choosesFiles(bring, { ...choice, accept }, ([file]) => file && importStrokes(app, file));
  return group("Use elsewhere", el("label", { class: "field" }, "Strokes as", format), buttons);
}

/** @param {App} app */
async function showCode(app) {
  const code = await showWhile("Writing the strokes", app.ask("code"));
  if (!code) return;
  const block = (/** @type {string} */ title, /** @type {string} */ text) => [
    el("div", { class: "row" }, el("b", { class: "grow", text: title }), copy(text)),
    el("pre", { text, tabindex: 0 }),
  ];
  openDialog(
    "This session as code",
    ...block("Python", code.python),
    ...block("Command line", code.command),
  );
}

/**
 * A button that copies a text; none where the browser does not let pages copy.
 * @param {string} text
 */
function copy(text) {
  return el("button", {
    type: "button", text: "Copy", hidden: !navigator.clipboard,
    onclick: async (/** @type {Event} */ event) => {
      await navigator.clipboard.writeText(text);
      /** @type {HTMLElement} */ (event.target).textContent = "Copied";
    },
  });
}
