// Measures of objects: what they are coloured by, plotted along, and filtered by.

import { el } from "./dom.js";
import { plot } from "./object-plots.js";
import { group, rebuild } from "./widgets.js";

/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

/**
 * @param {ObjectDesk} desk
 */
export function measureGroup(desk) {
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
