// The connected parts on a plane, or in a volume: a table to sort, a histogram of sizes, and the way
// to each of them.

import { openDialog, theDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { goToPlace } from "./undo.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Box} Box */

/**
 * @typedef {object} Part
 * @property {number} label
 * @property {number} area pixels, or voxels
 * @property {number} [z]
 * @property {number} y
 * @property {number} x
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

/**
 * What parts are measured in: "px" or "voxels", and how many µm² or µm³ one of them has.
 * @typedef {{of: string, unit: string, one: number | null}} Unit
 */

/** @typedef {{label: number, area: number, share: number, components: number}} Covered */

const BINS = 40;
const ROWS = 500;
const CUBIC_MM = 1e9;

/** @type {Record<string, (part: Part) => number>} */
const COLUMNS = {
  Class: (one) => one.label,
  Area: (one) => one.area,
  Volume: (one) => one.area,
  Plane: (one) => one.z ?? 0,
  Row: (one) => one.y,
  Column: (one) => one.x,
};

/**
 * List the parts of the plane that is looked at.
 * @param {App} app
 * @param {Viewer} viewer
 */
export async function showParts(app, viewer) {
  const { image, plane } = app;
  /** @type {{area: number | null, count: number, parts: Part[], sizes: number[]} | null | undefined} */
  const found = await app.ask("parts", { image, plane });
  if (!found) return;
  const unit = { of: "px", unit: "µm²", one: found.area };
  const go = (/** @type {Part} */ part) => goToPlace(app, viewer, { image, plane, box: part });
  openDialog(
    `${found.count.toLocaleString("en")} parts on this plane`,
    ...listed(app, { ...found, unit, columns: ["Class", "Area", "Row", "Column"], touch: "Pixels", go }),
  );
}

/**
 * Measure the volume that is looked at: classes and parts over all of its planes.
 * @param {App} app
 * @param {Viewer} viewer
 */
export async function showVolumes(app, viewer) {
  const { image, plane } = app;
  /** @type {{volume: number | null, older: string, classes: Covered[], count: number, parts: Part[], sizes: number[]} | undefined} */
  const found = await app.ask("volumes", { image, plane });
  if (!found) return;
  const unit = { of: "voxels", unit: "µm³", one: found.volume };
  const go = (/** @type {Part} */ part) => {
    /** @type {Record<string, number>} */
    const time = plane.t === undefined ? {} : { t: plane.t };
    goToPlace(app, viewer, { image, plane: { ...time, z: Math.round(part.z ?? 0) }, box: part });
  };
  openDialog(
    `${found.count.toLocaleString("en")} parts in the volume`,
    ...(found.older ? [el("p", { class: "note", text: found.older })] : []),
    classTable(app, found.classes, unit),
    ...listed(app, { ...found, unit, columns: ["Class", "Volume", "Plane", "Row", "Column"], touch: "Voxels", go }),
  );
}

/**
 * @param {App} app
 * @param {Covered[]} classes
 * @param {Unit} unit
 */
function classTable(app, classes, unit) {
  const heads = ["Class", "Volume", "Share", "Parts"].map((text) => el("th", { text, scope: "col" }));
  const rows = classes.map(({ label, area, share, components }) =>
    el(
      "tr", {},
      el("td", {}, ...named(app, label)),
      el("td", { text: words(area, unit), title: `${area.toLocaleString("en")} ${unit.of}` }),
      el("td", { text: `${(100 * share).toFixed(1)} %` }),
      el("td", { text: components.toLocaleString("en") }),
    ),
  );
  return el("table", { id: "volumes" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
}

/**
 * @typedef {object} Listed
 * @property {number} count
 * @property {Part[]} parts
 * @property {number[]} sizes
 * @property {Unit} unit
 * @property {string[]} columns
 * @property {string} touch what the parts are made of
 * @property {(part: Part) => void} go
 */

/**
 * @param {App} app
 * @param {Listed} found
 * @returns {Node[]}
 */
function listed(app, { count, parts, sizes, unit, columns, touch, go }) {
  const body = el("tbody", { id: "parts" });
  let [by, sign] = [columns[1], -1]; // the largest first
  const show = () => {
    const order = [...parts].sort((a, b) => sign * (COLUMNS[by](a) - COLUMNS[by](b))).slice(0, ROWS);
    fill(body, ...order.map((one) => row(app, one, unit, columns, () => {
      theDialog().close();
      go(one);
    })));
    const now = sign > 0 ? "ascending" : "descending";
    for (const [name, head] of heads) head.setAttribute("aria-sort", name === by ? now : "none");
  };
  const heads = new Map(columns.map((name) => {
    const choose = () => {
      sign = name === by ? -sign : 1;
      by = name;
      show();
    };
    const title = name === columns[1] ? `${name} (${unit.one ? unit.unit : unit.of})` : name;
    return [name, el("th", { scope: "col" }, el("button", { class: "flat wide", type: "button", text: title, onclick: choose }))];
  }));
  show();
  const known = count > parts.length ? ` (of the ${parts.length} largest)` : "";
  const more = count > ROWS ? ` The first ${ROWS}${known} are listed; tables hold all of them.` : "";
  return [
    el("p", { class: "note", text: `${touch} of one class that touch are one part. Click one to go there, and a heading to sort by it, once more for the other way round.${more}` }),
    histogram(sizes, unit),
    el("div", { class: "choices" }, el("table", { class: "parts" }, el("thead", {}, el("tr", {}, ...heads.values())), body)),
  ];
}

/**
 * @param {App} app
 * @param {number} label
 * @returns {(Node | string)[]} its colour and its name
 */
function named(app, label) {
  const known = app.state?.classes.find((c) => c.label === label);
  const swatch = el("span", { class: "swatch" });
  swatch.style.setProperty("background", known?.color ?? "gray");
  return [swatch, known?.name ?? String(label)];
}

/**
 * @param {App} app
 * @param {Part} part
 * @param {Unit} unit
 * @param {string[]} columns
 * @param {() => void} go
 */
function row(app, part, unit, columns, go) {
  const [swatch, name] = named(app, part.label);
  const places = columns.slice(2).map((column) => {
    const at = COLUMNS[column](part);
    return el("td", { text: (column === "Plane" ? at + 1 : at).toFixed(0) });
  });
  return el(
    "tr",
    { onclick: go },
    el("td", {}, swatch, el("button", { class: "flat wide", type: "button", text: String(name), title: String(name), "aria-label": `Go to a part of ${name}` })),
    el("td", { text: size(part.area, unit) }),
    ...places,
  );
}

/**
 * Return a size as it stands under a heading that says its unit.
 * @param {number} area
 * @param {Unit} unit
 */
function size(area, { one }) {
  return one ? Number((area * one).toPrecision(4)).toLocaleString("en") : area.toLocaleString("en");
}

/**
 * Return a volume with its unit.
 * @param {number} area
 * @param {Unit} unit
 */
function words(area, unit) {
  if (!unit.one) return `${size(area, unit)} ${unit.of}`;
  const found = area * unit.one;
  return found < CUBIC_MM ? `${size(area, unit)} µm³` : `${Number((found / CUBIC_MM).toPrecision(4))} mm³`;
}

/**
 * Return a picture of how many parts there are of each size; sizes double from left to right.
 * @param {number[]} sizes
 * @param {Unit} unit
 */
function histogram(sizes, unit) {
  const canvas = el("canvas", { width: 560, height: 70, class: "sizes", "aria-hidden": "true" });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const largest = Math.log2((sizes[0] ?? 1) + 1);
  const counts = Array(BINS).fill(0);
  for (const one of sizes) counts[Math.min(BINS - 1, Math.floor((Math.log2(one) / largest) * BINS))] += 1;
  const most = Math.max(1, ...counts);
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  counts.forEach((count, k) => {
    const high = (count / most) * canvas.height;
    context.fillRect((k * canvas.width) / BINS, canvas.height - high, canvas.width / BINS - 1, high);
  });
  const end = (/** @type {number} */ area) => el("span", { text: `${size(area, unit)} ${unit.one ? unit.unit : unit.of}` });
  return el("div", {}, canvas, el("div", { class: "ends note" }, end(1), end(sizes[0] ?? 1)));
}
