// The connected parts on a plane: a table to sort, a histogram of sizes, and the way to each of them.

import { openDialog, theDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { goToPlace } from "./undo.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */

/**
 * @typedef {object} Part
 * @property {number} label
 * @property {number} area pixels
 * @property {number} y
 * @property {number} x
 * @property {number} top
 * @property {number} left
 * @property {number} bottom
 * @property {number} right
 */

const BINS = 40;
const ROWS = 500;

/** @type {Record<string, (part: Part) => number>} */
const COLUMNS = { Class: (one) => one.label, Area: (one) => one.area, Row: (one) => one.y, Column: (one) => one.x };

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
export async function showParts(app, viewer) {
  const { image, plane } = app;
  /** @type {{area: number | null, count: number, parts: Part[], sizes: number[]} | null | undefined} */
  const found = await app.ask("parts", { image, plane });
  if (!found) return;
  const body = el("tbody", { id: "parts" });
  let [by, sign] = ["Area", -1]; // the largest first
  const show = () => {
    const order = [...found.parts].sort((a, b) => sign * (COLUMNS[by](a) - COLUMNS[by](b))).slice(0, ROWS);
    fill(body, ...order.map((one) => row(app, one, found.area, () => {
      theDialog().close();
      goToPlace(app, viewer, { image, plane, box: one });
    })));
    const now = sign > 0 ? "ascending" : "descending";
    for (const [name, head] of heads) head.setAttribute("aria-sort", name === by ? now : "none");
  };
  const heads = new Map(Object.keys(COLUMNS).map((name) => {
    const choose = () => {
      sign = name === by ? -sign : 1;
      by = name;
      show();
    };
    const title = name === "Area" && found.area ? "Area (µm²)" : name;
    return [name, el("th", { scope: "col" }, el("button", { class: "flat wide", type: "button", text: title, onclick: choose }))];
  }));
  show();
  const known = found.count > found.parts.length ? ` (of the ${found.parts.length} largest)` : "";
  const more = found.count > ROWS ? ` The first ${ROWS}${known} are listed; tables hold all of them.` : "";
  openDialog(
    `${found.count.toLocaleString("en")} parts on this plane`,
    el("p", { class: "note", text: `Pixels of one class that touch are one part. Click one to go there, and a heading to sort by it, once more for the other way round.${more}` }),
    histogram(found.sizes, found.area),
    el("div", { class: "choices" }, el("table", { class: "parts" }, el("thead", {}, el("tr", {}, ...heads.values())), body)),
  );
}

/**
 * @param {App} app
 * @param {Part} one
 * @param {number | null} pixel
 * @param {() => void} go
 */
function row(app, { label, area, y, x }, pixel, go) {
  const known = app.state?.classes.find((c) => c.label === label);
  const swatch = el("span", { class: "swatch" });
  swatch.style.setProperty("background", known?.color ?? "gray");
  const name = known?.name ?? String(label);
  return el(
    "tr",
    { onclick: go },
    el("td", {}, swatch, el("button", { class: "flat wide", type: "button", text: name, "aria-label": `Go to a part of ${name}` })),
    el("td", { text: size(area, pixel) }),
    el("td", { text: y.toFixed(0) }),
    el("td", { text: x.toFixed(0) }),
  );
}

/**
 * @param {number} area
 * @param {number | null} pixel
 */
function size(area, pixel) {
  return pixel ? Number((area * pixel).toPrecision(4)).toLocaleString("en") : `${area.toLocaleString("en")} px`;
}

/**
 * Return a picture of how many parts there are of each size; sizes double from left to right.
 * @param {number[]} sizes
 * @param {number | null} pixel
 */
function histogram(sizes, pixel) {
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
  const ends = el("div", { class: "ends note" }, el("span", { text: size(1, pixel) }), el("span", { text: size(sizes[0] ?? 1, pixel) }));
  return el("div", {}, canvas, ends);
}
