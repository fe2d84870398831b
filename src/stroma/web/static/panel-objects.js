// The panel "Objects": where they come from, their classes, corrections, measures, and files.

import { el, fill } from "./dom.js";
import { choosesFiles, importObjects, importTable } from "./files.js";
import { Carver } from "./object-carver.js";
import { carveGroup, carveKeys } from "./object-carving.js";
import { classGroup, showNext } from "./object-classes.js";
import { clickGroup, clickKeys } from "./object-clicking.js";
import { Clicks } from "./object-clicks.js";
import { measureGroup } from "./object-measures.js";
import { tableGroup } from "./object-table.js";
import { HELP, TOOLS, objectTool } from "./object-tools.js";
import { showWhile } from "./tasks.js";
import { group, rebuild, segmented, slider, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

const FORMATS = { csv: "Table (CSV)", tif: "Label image", geojson: "QuPath GeoJSON", zip: "ImageJ ROIs" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
export function objectsPanel(app, viewer, desk) {
  const clicks = new Clicks(app, viewer, desk);
  const clicking = clickGroup(app, clicks);
  const carver = new Carver(app, viewer, desk);
  const carving = carveGroup(app, viewer, carver);
  const hands = tools(viewer, desk, { clicks, clicking, carver, carving: carving.made });
  const made = el(
    "div",
    { class: "panel" },
    sourceGroup(app, desk),
    correctGroup(app, desk, hands.made),
    clicking,
    carving.made,
    classGroup(app, viewer, desk),
    measureGroup(desk),
    tableGroup(app, viewer, desk),
    exportGroup(app, desk),
  );
  let before = "";
  app.addEventListener("change", () => {
    const now = app.view.tab;
    if (now === "objects" && before !== "objects") hands.take();
    if (now !== "objects" && before === "objects") {
      clicks.choose(false);
      carver.choose(false);
    }
    desk.layer.visible = now === "objects";
    before = now;
  });
  listen(app, viewer, desk, { choose: hands.choose, clicks, carver, put: carving.put });
  return made;
}

// ------------------------------------------------------------------ where they come from

/**
 * @param {App} app
 * @param {ObjectDesk} desk
 */
function sourceGroup(app, desk) {
  const label = el("select", { id: "object-class-of", "aria-label": "Class whose parts are the objects" });
  const boundary = el("select", {
    id: "object-boundary", "aria-label": "Class between objects that parts them",
    title: "A class that you painted between objects that touch, such as their rims: they are parted where it is probable",
  });
  const how = { split: 0, boundary: /** @type {number | null} */ (null), min_size: 0, border: true };
  const split = slider({
    title: "Part at necks", low: 0, high: 5, step: 0.25, change: () => {}, help: "0 parts none, 1 is usual",
    settle: (value) => set({ split: value }),
  });
  const least = slider({
    title: "Least size (px)", low: 0, high: 500, step: 5, change: () => {}, settle: (value) => set({ min_size: value }),
  });
  const border = tick("Keep objects at the border", (on) => set({ border: on }));
  const values = () => ({ image: app.image, label: Number(label.value), ...how });
  let sent = 0;
  const follow = async () => {
    sent += 1;
    await app.ask("follow-objects", values());
    sent -= 1;
    desk.again(); // what was asked before then may not know of it
  };
  const set = (/** @type {Partial<typeof how>} */ more) => {
    Object.assign(how, more);
    if (desk.known?.how) follow();
  };
  const offer = () => {
    const others = (app.state?.classes ?? []).filter((one) => String(one.label) !== label.value);
    if (!others.some((one) => one.label === how.boundary)) how.boundary = null;
    const none = el("option", { value: "", text: "none" });
    rebuild(boundary, others, () => [none, ...others.map((one) => el("option", { value: one.label, text: one.name }))]);
    boundary.value = how.boundary === null ? "" : String(how.boundary);
  };
  label.onchange = () => {
    offer();
    set({});
  };
  boundary.onchange = () => set({ boundary: boundary.value ? Number(boundary.value) : null });
  const note = el("p", { class: "note", id: "objects-note", role: "status" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    el("button", { type: "button", id, text, title, onclick });
  const opening = button("open-objects", "Open a label image…", "From any program: a number for each object, as large as this image", () => {});
  const joining = button("join-table", "Join a table…", "Of any program, with the numbers of these objects in a column label: its numbers become measures, its classes labels", () => {});
  const buttons = el(
    "div",
    { class: "buttons" },
    button("follow-objects", "Follow the segmentation", "Found again whenever it changes", follow),
    button("find-objects", "Find in all planes", "Segments the whole image, and holds what is found", () =>
      showWhile("Finding objects", app.ask("find-objects", values())),
    ),
    opening,
    joining,
    button("no-objects", "None", "Have no objects any more", () => app.ask("no-objects", { image: app.image })),
  );
  choosesFiles(
    opening,
    { id: "objects-file", title: "Label image", multiple: false, accept: () => app.state?.uploads.images.endings ?? [] },
    ([file]) => file && importObjects(app, file),
  );
  choosesFiles(
    joining,
    { id: "table-file", title: "Table", multiple: false, accept: () => app.state?.uploads.tables.endings ?? [] },
    ([file]) => file && importTable(app, file),
  );
  app.addEventListener("change", () => {
    const classes = app.state?.classes ?? [];
    const chosen = label.value || String(classes.at(-1)?.label ?? 1);
    rebuild(label, classes, () => classes.map((one) => el("option", { value: one.label, text: one.name })));
    label.value = classes.some((one) => String(one.label) === chosen) ? chosen : String(classes.at(-1)?.label ?? 1);
    offer();
  });
  const show = () => {
    note.textContent = words(desk);
    joining.disabled = !desk.known?.kept;
    // While a choice is on its way, what comes is older than it, and would take it back.
    if (desk.known?.how && !sent) {
      const { split: depth, boundary: between, min_size: size, border: kept } = desk.known.how;
      Object.assign(how, { split: depth, boundary: between, min_size: size, border: kept });
    }
    offer();
    split.show(how.split);
    least.show(how.min_size);
    border.show(how.border);
  };
  desk.addEventListener("known", show);
  desk.addEventListener("look", () => {
    note.textContent = words(desk);
  });
  show();
  return group("Objects", el("label", { class: "field" }, "Parts of", label), el("label", { class: "field" }, "Part along", boundary), split.made, least.made, border.made, buttons, note);
}

/** @param {ObjectDesk} desk */
function words({ known, selected }) {
  if (!known) return "";
  const count = known.rows.label?.length ?? 0;
  if (known.state !== "current") return known.reason;
  const from = known.kept ? `held (${known.source})` : "following the segmentation";
  const chosen = selected.size ? `, ${selected.size} selected` : "";
  return `${count.toLocaleString("en")} objects${chosen}, ${from}.`;
}

// ------------------------------------------------------------------ tools and corrections

/**
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 * @param {{clicks: Clicks, clicking: HTMLElement, carver: Carver, carving: HTMLElement}} own
 *   what objects are clicked and carved with, and what is shown meanwhile
 */
function tools(viewer, desk, { clicks, clicking, carver, carving }) {
  const help = el("p", { class: "note" });
  /** @type {keyof typeof TOOLS} */
  let chosen = "label";
  let untouched = true;
  const take = () => {
    own = chosen === "click" ? clicks.tool : chosen === "carve" ? carver.tool : objectTool(desk, chosen);
    viewer.setTool(own);
    buttons.show(chosen);
    help.textContent = HELP[chosen];
    clicking.hidden = chosen !== "click";
    carving.hidden = chosen !== "carve";
    clicks.choose(chosen === "click");
    carver.choose(chosen === "carve");
  };
  const choose = (/** @type {string} */ name) => {
    chosen = /** @type {keyof typeof TOOLS} */ (name);
    untouched = false;
    take();
  };
  const buttons = segmented("What the pointer does", TOOLS, choose);
  let own = viewer.tool;
  viewer.addEventListener("tool", () => {
    if (viewer.tool === own) return;
    buttons.show(""); // something else was taken from the bar, and none of these is in hand
    help.textContent = "";
    clicking.hidden = carving.hidden = true;
    if (clicks.chosen) clicks.choose(false);
    carver.choose(false);
  });
  buttons.made.id = "object-tools";
  // Where there are no objects yet, the first thing to do is to click one.
  // Once they are found, the next is to class them; who clicked some goes on with that.
  desk.addEventListener("known", () => {
    const { known } = desk;
    if (!untouched || !known) return;
    const byClicks = known.kept ? known.source === "clicked" : !known.how;
    const wanted = byClicks ? "click" : "label";
    if (wanted === chosen) return;
    chosen = wanted;
    if (desk.app.view.tab === "objects") take();
  });
  clicks.addEventListener("look", () => {
    if (clicks.marked) untouched = false;
  });
  return { made: el("div", {}, buttons.made, help), choose, take };
}

/**
 * @param {App} app
 * @param {ObjectDesk} desk
 * @param {Node} hands
 */
function correctGroup(app, desk, hands) {
  const names = /** @type {const} */ ([["merge", "Merge (M)"], ["delete", "Delete (Del)"], ["fill", "Fill holes (F)"]]);
  const buttons = names.map(([kind, text]) =>
    el("button", { type: "button", id: `${kind}-objects`, text, onclick: () => desk.correct(kind, [...desk.selected]) }),
  );
  const undo = el("button", { type: "button", text: "Undo", onclick: () => app.ask("undo") });
  desk.addEventListener("look", () => {
    buttons.forEach((one, i) => {
      one.disabled = desk.selected.size < (names[i][0] === "merge" ? 2 : 1);
    });
  });
  app.addEventListener("change", () => {
    undo.disabled = !app.state?.canUndo;
  });
  return group("Click and correct", hands, el("div", { class: "buttons" }, ...buttons, undo));
}

// ------------------------------------------------------------------ files

/**
 * @param {App} app
 * @param {ObjectDesk} desk
 */
function exportGroup(app, desk) {
  const chosen = new Set(["csv"]);
  let model = false;
  const ticks = Object.entries(FORMATS).map(([name, title]) => {
    const one = tick(title, (on) => (on ? chosen.add(name) : chosen.delete(name)));
    one.show(chosen.has(name));
    one.made.querySelector("input")?.setAttribute("id", `object-${name}`);
    return one.made;
  });
  const classes = tick("Classes, for other files (.pkl)", (on) => {
    model = on;
  });
  const files = el("div", { class: "fields", id: "object-files" });
  const write = el("button", {
    type: "button", id: "export-objects", text: "Write files",
    onclick: async () => {
      write.disabled = true;
      const found = await showWhile(
        "Writing objects", app.ask("export-objects", { image: app.image, formats: [...chosen], model }),
      );
      write.disabled = false;
      if (found) fill(files, ...found.map((/** @type {string} */ name) => el("a", { href: `/results/${encodeURIComponent(name)}`, text: name, download: name })));
    },
  });
  desk.addEventListener("known", () => {
    write.disabled = !desk.known?.rows.label?.length;
  });
  return group("Export", ...ticks, classes.made, write, files);
}

// ------------------------------------------------------------------ keys

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 * @param {{choose: (tool: string) => void, clicks: Clicks, carver: Carver, put: () => void}} hands
 */
function listen(app, viewer, desk, { choose, clicks, carver, put }) {
  /** @type {Record<string, () => void>} */
  const keys = {
    m: () => desk.correct("merge", [...desk.selected]),
    delete: () => desk.correct("delete", [...desk.selected]),
    backspace: () => desk.correct("delete", [...desk.selected]),
    f: () => desk.correct("fill", [...desk.selected]),
    a: () => choose("click"),
    k: () => choose("carve"),
    l: () => choose("label"),
    q: () => choose("select"),
    c: () => choose("split"),
    d: () => choose("draw"),
    g: () => choose("reassign"),
    j: () => showNext(app, viewer, desk),
    escape: () => desk.select([]),
  };
  const run = (/** @type {KeyboardEvent} */ event) => {
    const shift = event.shiftKey;
    const hand = clicks.chosen ? clickKeys(app, clicks, shift) : carver.chosen ? carveKeys(carver, put, shift) : {};
    const own = hand[event.key.toLowerCase()];
    if (own) return own;
    const digit = /^(?:Digit|Numpad)([0-9])$/.exec(event.code);
    if (!digit) return keys[event.key.toLowerCase()];
    if (event.shiftKey) return undefined;
    const one = desk.known?.classes[Number(digit[1]) - 1];
    if (!one) return undefined;
    return () => {
      desk.label = one.label;
      desk.give(desk.selected, one.label);
      desk.changed();
    };
  };
  window.addEventListener(
    "keydown",
    (event) => {
      const busy = document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey;
      const { target } = event;
      const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
      const pressing = target instanceof HTMLButtonElement && event.key === "Enter";
      if (app.view.tab !== "objects" || busy || typing || pressing) return;
      const action = run(event);
      if (!action) return;
      event.preventDefault();
      action();
    },
    { capture: true },
  );
}
