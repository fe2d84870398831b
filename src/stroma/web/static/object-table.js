// The table of objects: sorted by any column that is shown; a click selects a row and goes there.

import { el, fill } from "./dom.js";
import { around } from "./object-classes.js";
import { short } from "./object-plots.js";
import { goToPlace } from "./undo.js";
import { group } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

const ROWS = 300;

/**
 * @param {App} app
 * @param {Viewer} viewer
 * @param {ObjectDesk} desk
 */
export function tableGroup(app, viewer, desk) {
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
