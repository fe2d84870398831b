// The part of the panel "Objects" for carving them: what bounds objects, and those that were carved.

import { el } from "./dom.js";
import { around } from "./object-classes.js";
import { goToPlace } from "./undo.js";
import { group, rebuild, slider, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./object-carver.js").Carver} Carver */

const BOUNDARIES = { edges: "Steps in brightness", bright: "Bright lines and sheets", dark: "Dark lines and sheets" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {Carver} carver
 */
export function carveGroup(app, viewer, carver) {
  const note = el("p", { class: "note", id: "carve-note", role: "status" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    el("button", { type: "button", id, text, title, onclick });
  const name = el("input", { type: "text", id: "carve-name", autocomplete: "off" });
  let lock = false;
  const locks = tick("Lock it", (on) => {
    lock = on;
  });
  locks.made.title = "Whatever is done to objects, its pixels are left as they are";
  const put = async () => {
    if (await carver.commit(name.value.trim(), lock)) name.value = "";
  };
  const commit = button("commit-carved", "Commit (S)", "Makes it an object; also Enter", put);
  const clear = button("clear-carving", "Clear (Shift+C)", "Drops the strokes; also Escape. Backspace takes back the last one", () => carver.clear());
  const kind = el("select", {
    id: "carve-boundary",
    onchange: () => {
      const [boundary, label] = kind.value.split(" ");
      carver.bound({ boundary, label: Number(label ?? 0) });
    },
  });
  const width = slider({
    title: "Width (px)", low: 0.5, high: 8, step: 0.1, change: () => {}, settle: (sigma) => carver.bound({ sigma }),
    help: "Of the Gaussian that boundaries are found with: more for thick or noisy ones",
  });
  const list = el("div", { class: "fields", id: "carved-objects" });
  const show = () => {
    const { known } = carver;
    note.textContent = words(carver);
    commit.disabled = !carver.answered;
    clear.disabled = !carver.marked && !known?.opened;
    name.placeholder = known?.opened || known?.free || "";
    const classes = app.state?.classes ?? [];
    rebuild(kind, [classes, known?.how], () => [
      ...Object.entries(BOUNDARIES).map(([value, text]) => el("option", { value, text })),
      ...classes.map((one) => el("option", { value: `class ${one.label}`, text: `Where it is ${one.name}` })),
    ]);
    if (!known) return;
    const { boundary, label, sigma } = known.how;
    kind.value = boundary === "class" ? `class ${label}` : boundary;
    width.show(sigma);
    width.made.hidden = boundary === "class";
    rebuild(list, [known.named, known.opened], () => known.named.map((one) => row(app, viewer, carver, one, known.opened === one.name)));
  };
  carver.addEventListener("look", show);
  app.addEventListener("change", show);
  show();
  const made = group(
    "Carve", note, el("label", { class: "field" }, "Name", name), locks.made, el("div", { class: "buttons" }, commit, clear),
    el("label", { class: "field" }, "Bounded by", kind), width.made, list,
  );
  made.hidden = true;
  return { made, put };
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {Carver} carver
 * @param {{name: string, number: number, frame: number, locked: boolean}} one
 * @param {boolean} opened
 */
function row(app, viewer, carver, { name, number, frame, locked }, opened) {
  const find = () => {
    const here = (app.plane.t ?? 0) === frame;
    if (!here) app.goTo(app.image, { t: frame });
    carver.desk.select([number]);
    const box = here ? carver.desk.boxOf(number) : null; // of another time they are not known yet
    if (box) goToPlace(app, viewer, { image: app.image, plane: app.plane, box: around(box) });
  };
  return el(
    "div",
    { class: "carved", "data-carved": name },
    el("button", { type: "button", class: "flat wide", text: name, title: "Selects it", onclick: find }),
    el("button", {
      type: "button", text: opened ? "Open" : "Reopen", disabled: opened, "aria-label": `Reopen ${name}`,
      title: "Takes its strokes up again, to add to them and commit it", onclick: () => carver.reopen(name),
    }),
    el("button", {
      type: "button", text: locked ? "Unlock" : "Lock", disabled: opened, "aria-label": `${locked ? "Unlock" : "Lock"} ${name}`,
      title: "Locked, its pixels are left as they are whatever is done to objects", onclick: () => carver.lock(name, !locked),
    }),
  );
}

/** @param {Carver} carver */
function words(carver) {
  const { known } = carver;
  if (carver.cutting && !known?.count) return "Cutting the image into regions, once. You can draw meanwhile.";
  if (!known) return "";
  const { lacking, pixels } = known.found;
  if (carver.cutting && lacking) return "Cutting the image into regions, once…";
  if (!known.count) return "Draw on an object; with the right button, or Alt, beside it.";
  if (lacking) return lacking;
  const which = known.opened ? ` of ${known.opened}` : "";
  return `About ${pixels.toLocaleString("en")} px${which}. S commits it.`;
}

/**
 * Return what keys do while objects are carved.
 * @param {Carver} carver
 * @param {() => void} put what commits
 * @param {boolean} shift whether that key is held
 * @returns {Record<string, () => void>}
 */
export function carveKeys(carver, put, shift) {
  if (!carver.marked) return {};
  return {
    s: put,
    enter: put,
    c: shift ? () => carver.clear() : put,
    escape: () => carver.clear(),
    backspace: () => carver.back(),
    delete: () => carver.back(),
  };
}
