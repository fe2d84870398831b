// Classes of objects: their names and colours, how many are of each, and which to label next.

import { el } from "./dom.js";
import { goToPlace } from "./undo.js";
import { group, rebuild } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */
/** @typedef {import("./types.js").Class} Class */

const CLASSIFIERS = { forest: "Random forest", ensemble: "Ensemble", logistic: "Logistic", catboost: "CatBoost" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
export function classGroup(app, viewer, desk) {
  const list = el("div", { class: "fields", id: "object-classes" });
  const note = el("p", { class: "note", id: "object-lacking" });
  const accuracy = el("p", { class: "note", id: "object-accuracy", role: "status" });
  const show = () => {
    const { known } = desk;
    if (!known) return;
    const counts = new Map();
    for (const label of known.rows.class ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
    const about = [known.classes, [...counts], known.given, desk.label];
    rebuild(list, about, () => known.classes.map((one, i) => classRow(app, desk, one, i, counts.get(one.label) ?? 0)));
    note.textContent = known.lacking;
    classifier.value = known.classifier;
    rebuild(features, [known.extractors, names], () => [
      el("option", { value: "", text: "none" }),
      ...[...new Set([...known.extractors, ...names])].map((value) => el("option", { value, text: value })),
    ]);
    features.value = known.extractors[0] ?? "";
  };
  /** @type {string[]} */
  let names = [];
  let asked = false;
  const offer = async () => {
    if (asked) return;
    asked = true;
    names = (await app.ask("object-features")) ?? [];
    show();
  };
  const features = el("select", {
    id: "object-features", title: "The mean of what an extractor sees inside each object joins the measures: where size and brightness do not tell objects apart",
    onpointerdown: offer, onfocus: offer,
    onchange: () => app.ask("object-model", { extractors: features.value ? [features.value] : [] }),
  });
  const classifier = el(
    "select",
    { id: "object-classifier", onchange: () => app.ask("object-model", { classifier: classifier.value }) },
    ...Object.entries(CLASSIFIERS).map(([value, text]) => el("option", { value, text })),
  );
  const buttons = el(
    "div",
    { class: "buttons" },
    el("button", { type: "button", id: "add-object-class", text: "Add a class", onclick: () => app.ask("add-object-class") }),
    el("button", {
      type: "button", id: "next-object", text: "Label this next", title: "The object that is least sure (J)",
      onclick: () => showNext(app, viewer, desk),
    }),
    el("button", {
      type: "button", id: "measure-accuracy", text: "Accuracy", title: "Each labelled object is told from the others",
      onclick: async () => {
        accuracy.textContent = "Leaving out one after the other…";
        const share = await app.ask("object-accuracy");
        accuracy.textContent =
          share === undefined ? "" : `${(100 * share).toFixed(0)} % of the labelled objects are told rightly from the others.`;
      },
    }),
  );
  desk.addEventListener("known", show);
  desk.addEventListener("look", show);
  return group("Classes", list, note, buttons, accuracy, el("label", { class: "field" }, "Classifier", classifier), el("label", { class: "field" }, "Features inside", features));
}

/**
 * @param {App} app
 * @param {ObjectDesk} desk
 * @param {Class} one
 * @param {number} at
 * @param {number} count
 */
function classRow(app, desk, one, at, count) {
  const given = desk.known?.given.filter((label) => label === one.label).length ?? 0;
  const { label } = one;
  return el(
    "div",
    { class: "object-class", "aria-current": desk.label === label ? "true" : null },
    el("input", {
      type: "color", value: one.color, "aria-label": `Colour of ${one.name}`,
      onchange: (/** @type {Event} */ event) =>
        app.ask("change-object-class", { label, color: /** @type {HTMLInputElement} */ (event.target).value }),
    }),
    el("input", {
      type: "text", value: one.name, "aria-label": "Name of the class", "data-key": `name ${label}`,
      onchange: (/** @type {Event} */ event) =>
        app.ask("change-object-class", { label, name: /** @type {HTMLInputElement} */ (event.target).value }),
    }),
    el("button", {
      type: "button", text: at < 9 ? String(at + 1) : "·", title: `Label objects ${one.name}`, "data-choose": label,
      "aria-pressed": String(desk.label === label),
      onclick: () => {
        desk.label = label;
        desk.changed();
      },
    }),
    el("span", { class: "note", text: `${given} labelled, ${count} in all` }),
    el("button", {
      type: "button", class: "flat", text: "×", title: `Remove ${one.name}`, "aria-label": `Remove ${one.name}`,
      onclick: () => app.ask("remove-object-class", { label }),
    }),
  );
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
export async function showNext(app, viewer, desk) {
  const found = await app.ask("next-object", { image: app.image, plane: app.plane });
  if (!found) return;
  desk.select([found.number]);
  goToPlace(app, viewer, { image: found.image, plane: found.plane, box: around(found.box) });
}

/** @param {import("./types.js").Box} box */
export function around({ top, left, bottom, right }) {
  const more = 2 * Math.max(bottom - top, right - left);
  return { top: top - more, left: left - more, bottom: bottom + more, right: right + more };
}
