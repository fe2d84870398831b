// The panel "Objects": where they come from, their classes, corrections, measures, and files.

import { el, fill } from "./dom.js";
import { plot, short } from "./object-plots.js";
import { HELP, TOOLS, objectTool } from "./object-tools.js";
import { goToPlace } from "./undo.js";
import { showWhile } from "./tasks.js";
import { group, rebuild, segmented, slider, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */
/** @typedef {import("./types.js").Class} Class */

const ROWS = 300;
const FORMATS = { csv: "Table (CSV)", tif: "Label image", geojson: "QuPath GeoJSON", zip: "ImageJ ROIs" };
const CLASSIFIERS = { forest: "Random forest", ensemble: "Ensemble", logistic: "Logistic", catboost: "CatBoost" };

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
export function objectsPanel(app, viewer, desk) {
  const hands = tools(viewer, desk);
  const made = el(
    "div",
    { class: "panel" },
    sourceGroup(app, desk),
    classGroup(app, viewer, desk),
    correctGroup(app, desk, hands.made),
    measureGroup(desk),
    tableGroup(app, viewer, desk),
    exportGroup(app, desk),
  );
  let before = "";
  app.addEventListener("change", () => {
    const now = app.view.tab;
    if (now === "objects" && before !== "objects") hands.take();
    desk.layer.visible = now === "objects";
    before = now;
  });
  listen(app, viewer, desk, hands.choose);
  return made;
}

// ------------------------------------------------------------------ where they come from

/**
 * @param {App} app
 * @param {ObjectDesk} desk
 */
function sourceGroup(app, desk) {
  const label = el("select", { id: "object-class-of", "aria-label": "Class whose parts are the objects" });
  const how = { split: 0, min_size: 0, border: true };
  const split = slider({
    title: "Part at necks", low: 0, high: 5, step: 0.25, change: () => {}, help: "0 parts none, 1 is usual",
    settle: (value) => set({ split: value }),
  });
  const least = slider({
    title: "Least size (px)", low: 0, high: 500, step: 5, change: () => {}, settle: (value) => set({ min_size: value }),
  });
  const border = tick("Keep objects at the border", (on) => set({ border: on }));
  const values = () => ({ image: app.image, label: Number(label.value), ...how });
  const follow = () => app.ask("follow-objects", values());
  const set = (/** @type {Partial<typeof how>} */ more) => {
    Object.assign(how, more);
    if (desk.known?.how) follow();
  };
  label.onchange = () => set({});
  const note = el("p", { class: "note", id: "objects-note", role: "status" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    el("button", { type: "button", id, text, title, onclick });
  const buttons = el(
    "div",
    { class: "buttons" },
    button("follow-objects", "Follow the segmentation", "Found again whenever it changes", follow),
    button("find-objects", "Find in all planes", "Segments the whole image, and holds what is found", () =>
      showWhile("Finding objects", app.ask("find-objects", values())),
    ),
    button("no-objects", "None", "Have no objects any more", () => app.ask("no-objects", { image: app.image })),
  );
  app.addEventListener("change", () => {
    const classes = app.state?.classes ?? [];
    const chosen = label.value || String(classes.at(-1)?.label ?? 1);
    rebuild(label, classes, () => classes.map((one) => el("option", { value: one.label, text: one.name })));
    label.value = classes.some((one) => String(one.label) === chosen) ? chosen : String(classes.at(-1)?.label ?? 1);
  });
  const show = () => {
    note.textContent = words(desk);
    if (desk.known?.how) {
      Object.assign(how, { split: desk.known.how.split, min_size: desk.known.how.min_size, border: desk.known.how.border });
    }
    split.show(how.split);
    least.show(how.min_size);
    border.show(how.border);
  };
  desk.addEventListener("known", show);
  desk.addEventListener("look", () => {
    note.textContent = words(desk);
  });
  show();
  return group("Objects", el("label", { class: "field" }, "Parts of", label), split.made, least.made, border.made, buttons, note);
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

// ------------------------------------------------------------------ classes

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
function classGroup(app, viewer, desk) {
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
  };
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
  return group("Classes", list, note, buttons, accuracy, el("label", { class: "field" }, "Classifier", classifier));
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
async function showNext(app, viewer, desk) {
  const found = await app.ask("next-object", { image: app.image, plane: app.plane });
  if (!found) return;
  desk.select([found.number]);
  goToPlace(app, viewer, { image: found.image, plane: found.plane, box: around(found.box) });
}

/** @param {import("./types.js").Box} box */
function around({ top, left, bottom, right }) {
  const more = 2 * Math.max(bottom - top, right - left);
  return { top: top - more, left: left - more, bottom: bottom + more, right: right + more };
}

// ------------------------------------------------------------------ tools and corrections

/**
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
function tools(viewer, desk) {
  const help = el("p", { class: "note" });
  const choose = (/** @type {string} */ name) => {
    const known = /** @type {keyof typeof TOOLS} */ (name);
    chosen = known;
    viewer.setTool(objectTool(desk, known));
    buttons.show(known);
    help.textContent = HELP[known];
  };
  /** @type {keyof typeof TOOLS} */
  let chosen = "label";
  const buttons = segmented("What the pointer does", TOOLS, choose);
  buttons.made.id = "object-tools";
  return { made: el("div", {}, buttons.made, help), choose, take: () => choose(chosen) };
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

// ------------------------------------------------------------------ measures

/**
 * @param {ObjectDesk} desk
 */
function measureGroup(desk) {
  const names = { x: "", y: "" };
  const picture = plot(desk, () => names);
  const pick = (/** @type {string} */ id, /** @type {string} */ title, /** @type {(name: string) => void} */ chosen) => {
    const select = el("select", { id, onchange: () => chosen(select.value) });
    return { select, made: el("label", { class: "field" }, title, select) };
  };
  const colour = pick("object-colour", "Colour by", async (name) => {
    if (name !== "class") await desk.measure(name);
    desk.colourBy = name;
    desk.changed();
  });
  const x = pick("object-x", "Along", (name) => {
    names.x = name;
    picture.load();
  });
  const y = pick("object-y", "Against", (name) => {
    names.y = name;
    picture.load();
  });
  const by = pick("object-filter", "Show only", async (name) => {
    if (name) await desk.measure(name);
    const [low, high] = desk.range(name);
    [from.value, to.value] = name ? [String(low), String(high)] : ["", ""];
    filter();
  });
  const filter = () => {
    const name = by.select.value;
    const ends = [from, to].map((one, i) => (one.value === "" ? [-Infinity, Infinity][i] : Number(one.value)));
    desk.filter = name ? { name, low: ends[0], high: ends[1] } : null;
    desk.changed();
  };
  const from = el("input", { type: "number", step: "any", id: "object-low", "aria-label": "From", onchange: filter });
  const to = el("input", { type: "number", step: "any", id: "object-high", "aria-label": "To", onchange: filter });
  desk.addEventListener("known", () => {
    const all = desk.known?.measures ?? [];
    const known = desk.known?.rows.class ? ["uncertainty", ...all] : all;
    const options = (/** @type {string[]} */ first) => [...first, ...known];
    const put = (/** @type {HTMLSelectElement} */ select, /** @type {string[]} */ list, /** @type {string} */ usual) => {
      const before = select.value || usual;
      rebuild(select, list, () => list.map((value) => el("option", { value, text: value || "-" })));
      select.value = list.includes(before) ? before : list[0] ?? "";
    };
    put(colour.select, options(["class"]), "class");
    put(x.select, known, known.find((name) => /^(area|volume)_/.test(name)) ?? "");
    put(y.select, options([""]), "");
    put(by.select, options([""]), "");
    names.x = x.select.value;
    names.y = y.select.value;
    picture.load();
  });
  const range = el("div", { class: "row" }, from, "to", to);
  return group("Measures", colour.made, x.made, y.made, picture.made, by.made, range);
}

// ------------------------------------------------------------------ table

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
function tableGroup(app, viewer, desk) {
  const body = el("tbody", { id: "object-rows" });
  const head = el("tr");
  const note = el("p", { class: "note" });
  let sort = { name: "label", up: true };
  const shown = () => ["label", "class", byId("object-x"), byId("object-y")].filter((name, i, all) => name && all.indexOf(name) === i);
  const show = async () => {
    const { known } = desk;
    if (!known) return;
    const names = shown();
    const columns = await Promise.all(names.map((name) => (name === "class" ? desk.known?.rows.class ?? [] : desk.measure(name))));
    if (known !== desk.known) return;
    const keys = columns[Math.max(0, names.indexOf(sort.name))];
    const labels = known.rows.label ?? [];
    const rows = labels.map((_, row) => row).filter((row) => desk.passes(labels[row]));
    const value = (/** @type {number} */ row) => keys[row] ?? -Infinity;
    rows.sort((a, b) => (sort.up ? 1 : -1) * (value(a) - value(b)));
    fill(head, ...names.map((name) => heading(name, sort, () => {
      sort = { name, up: sort.name === name ? !sort.up : true };
      show();
    })));
    fill(body, ...rows.slice(0, ROWS).map((row) => line(app, viewer, desk, row, names, columns)));
    note.textContent = rows.length > ROWS ? `The first ${ROWS} of ${rows.length.toLocaleString("en")}; files hold all.` : "";
    note.hidden = !note.textContent;
  };
  const mark = () => {
    for (const row of body.children) {
      row.setAttribute("aria-selected", String(desk.selected.has(Number(row.getAttribute("data-object")))));
    }
    if (desk.selected.size === 1) body.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  let filtered = "";
  desk.addEventListener("known", show);
  desk.addEventListener("look", async () => {
    const now = JSON.stringify([desk.filter, shown()]);
    if (now !== filtered) await show();
    filtered = now;
    mark();
  });
  const table = el("table", { class: "parts", role: "grid" }, el("thead", {}, head), body);
  return group("Table", el("div", { class: "choices objects-table" }, table), note);
}

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLSelectElement | null} */ (document.getElementById(id))?.value ?? "";
}

/**
 * @param {string} name
 * @param {{name: string, up: boolean}} sort
 * @param {() => void} choose
 */
function heading(name, sort, choose) {
  const order = sort.name !== name ? "none" : sort.up ? "ascending" : "descending";
  return el(
    "th",
    { scope: "col", "aria-sort": order },
    el("button", { class: "flat wide", type: "button", text: name, "data-sort": name, onclick: choose }),
  );
}

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 * @param {number} row
 * @param {string[]} names
 * @param {(number | null)[][]} columns
 */
function line(app, viewer, desk, row, names, columns) {
  const number = desk.known?.rows.label?.[row] ?? 0;
  const cells = names.map((name, i) => {
    const value = columns[i]?.[row];
    if (name !== "class") return el("td", { text: value === null || value === undefined ? "" : short(value) });
    const given = desk.known?.given[row] ?? 0;
    const one = desk.known?.classes.find(({ label }) => label === (given || value));
    const swatch = el("span", { class: "swatch" });
    swatch.style.setProperty("background", one?.color ?? "transparent");
    return el("td", {}, swatch, one ? `${one.name}${given ? " ✓" : ""}` : "");
  });
  return el(
    "tr",
    {
      "data-object": number, "aria-selected": String(desk.selected.has(number)),
      onclick: (/** @type {MouseEvent} */ event) => {
        desk.select([number], event.shiftKey);
        const box = desk.boxOf(number);
        if (box && !event.shiftKey) goToPlace(app, viewer, { image: app.image, plane: app.plane, box: around(box) });
      },
    },
    ...cells,
  );
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
 * @param {(tool: string) => void} choose
 */
function listen(app, viewer, desk, choose) {
  /** @type {Record<string, () => void>} */
  const keys = {
    m: () => desk.correct("merge", [...desk.selected]),
    delete: () => desk.correct("delete", [...desk.selected]),
    backspace: () => desk.correct("delete", [...desk.selected]),
    f: () => desk.correct("fill", [...desk.selected]),
    l: () => choose("label"),
    q: () => choose("select"),
    c: () => choose("split"),
    d: () => choose("draw"),
    g: () => choose("reassign"),
    j: () => showNext(app, viewer, desk),
    escape: () => desk.select([]),
  };
  const run = (/** @type {KeyboardEvent} */ event) => {
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
      if (app.view.tab !== "objects" || busy || typing) return;
      const action = run(event);
      if (!action) return;
      event.preventDefault();
      action();
    },
    { capture: true },
  );
}
