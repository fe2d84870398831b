// The panel "Model": which features, which classifier, and how good they are.

import { el } from "./dom.js";
import { listExtractors, useExtractor } from "./extractors.js";
import { choosesFiles, loadModel } from "./files.js";
import { qualityGroup } from "./quality.js";
import { chooseNetwork } from "./seeing.js";
import { explained, group, rebuild, slider } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Field} Field */

/**
 * @param {App} app
 * @param {() => import("./types.js").Box} view what is seen of the plane
 */
export function modelPanel(app, view) {
  const features = el("div", { class: "fields" });
  const classifier = el("div", { class: "fields" });
  app.addEventListener("change", () => {
    showFields(app, features, app.state?.features ?? []);
    showFields(app, classifier, app.state?.classifier ?? []);
  });
  return el(
    "div",
    { class: "panel" },
    group("Features", aliasField(app), features, loadField(app)),
    group("Classifier", classifier),
    qualityGroup(app, view),
  );
}

/** @param {App} app */
function aliasField(app) {
  const select = el("select", {
    id: "alias",
    onchange: async () => {
      const { value } = select;
      const used = await useExtractor(app, value, select.selectedOptions[0]?.text ?? value);
      if (!used) select.value = app.state?.alias ?? "";
    },
  });
  app.addEventListener("change", () => {
    const { state } = app;
    if (!state) return;
    rebuild(select, state.aliases, () =>
      state.aliases.map(({ value, title }) => el("option", { value, text: title })),
    );
    select.value = state.alias;
  });
  const help = "What the classifier sees of every pixel: the choice that matters most. Features are computed anew, and what is set below starts from the defaults of the extractor.";
  const all = el("button", {
    type: "button", id: "all-extractors", text: "What each is good for…", onclick: () => listExtractors(app),
  });
  const network = el("button", {
    type: "button", id: "see-with", text: "See with a network…", onclick: () => chooseNetwork(app),
    title: "Features of a trained network: a package of bioimage.io, or one that was trained here",
  });
  const buttons = el("div", { class: "buttons" }, all, network);
  return el("div", { class: "fields" }, explained(el("label", { class: "field" }, "Extractor", select), help), buttons);
}

/** @param {App} app */
function loadField(app) {
  const button = el("button", {
    type: "button", id: "load-model", text: "Load a model…",
    title: "A model that was saved here, in Python or napari (.pkl), or a trained network: it segments at once, and its settings are taken over",
  });
  const made = el("div", { class: "buttons" }, button);
  const choice = { id: "model-file", title: "Model to load", multiple: false };
  choosesFiles(button, { ...choice, accept: () => app.state?.uploads.models.endings ?? [] }, ([file]) => file && loadModel(app, file));
  return made;
}

/**
 * @param {App} app
 * @param {HTMLElement} parent
 * @param {Field[]} fields
 */
function showFields(app, parent, fields) {
  rebuild(parent, fields, () => fields.map((field) => control(app, field)));
}

/**
 * @param {App} app
 * @param {Field} field
 */
function control(app, field) {
  const set = (/** @type {any} */ value) => app.ask("params", { values: { [field.name]: value } });
  if (field.choices.length) return choice(field, set);
  const { title, low, high, step, help, value } = field;
  const made = slider({ title, low, high, step, change: () => {}, settle: set });
  made.show(value);
  made.made.querySelector("input")?.setAttribute("data-key", field.name);
  return explained(made.made, help);
}

/**
 * @param {Field} field
 * @param {(value: any) => void} set
 */
function choice({ name, title, help, choices, value }, set) {
  const select = el(
    "select",
    {
      "data-key": name,
      onchange: (/** @type {Event} */ event) =>
        set(choices[/** @type {HTMLSelectElement} */ (event.target).selectedIndex].value),
    },
    ...choices.map((one) => el("option", { text: one.title })),
  );
  select.selectedIndex = choices.findIndex(
    (one) => JSON.stringify(one.value) === JSON.stringify(value),
  );
  return explained(el("label", { class: "field" }, title, select), help);
}
