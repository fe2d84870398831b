// What a tab knows of objects: those of the plane, which are selected and how they are coloured.

import { Layer } from "./layer.js";
import { ObjectLabels, packed } from "./object-labels.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Class} Class */
/** @typedef {import("./types.js").Box} Box */

/**
 * @typedef {object} Known
 * @property {string} state
 * @property {string} reason
 * @property {string} lacking
 * @property {boolean} kept
 * @property {Record<string, any> | null} how
 * @property {string} source
 * @property {Class[]} classes
 * @property {string} classifier
 * @property {string[] | null} columns
 * @property {string[]} extractors
 * @property {string[]} measures
 * @property {number[]} given
 * @property {Record<string, number[] | null>} rows
 */

const GREY = "#c8c8c8";

/** Of objects without a class: no grey image has it, so outlines are seen on bright objects too. */
const UNCLASSED = "#b6ff3c";
const DELAY = 80;

/** From low to high, lighter throughout. */
const RAMP = ["#3b2f7f", "#2f6f9f", "#2aa198", "#7fc35a", "#f5e663"];

/** Events: "known" after objects came, "look" after the selection, colours or the filter changed. */
export class ObjectDesk extends EventTarget {
  /**
   * @param {App} app
   * @param {Viewer} viewer
   */
  constructor(app, viewer) {
    super();
    this.app = app;
    this.viewer = viewer;
    /** @type {Known | null} */
    this.known = null;
    /** @type {Map<number, number>} row of every object */
    this.rowOf = new Map();
    /** @type {Set<number>} */
    this.selected = new Set();
    /** @type {Map<string, (number | null)[]>} measures that were asked for */
    this.values = new Map();
    this.label = 1;
    this.colourBy = "class";
    /** @type {{name: string, low: number, high: number} | null} */
    this.filter = null;
    this.version = 0;
    this.shown = true;
    this.layer = this._layer();
    this._asked = 0;
    this._soon = settled(() => this.load(), DELAY);
    this._about = "";
    app.addEventListener("told", (event) => {
      const { event: name, image } = /** @type {CustomEvent<any>} */ (event).detail;
      if (name === "objects" && (!image || image === app.image)) this._soon();
    });
    app.addEventListener("change", () => this._follow());
  }

  /** Look at the objects of another plane, or at those that are new. */
  _follow() {
    const { app } = this;
    if (!this.viewer.layers.includes(this.layer) && this.viewer.layers.length) {
      this.viewer.layers = [...this.viewer.layers, this.layer];
    }
    this._outlines();
    const place = JSON.stringify([app.image, app.plane]);
    const now = JSON.stringify([place, app.state?.revision, app.state?.working]);
    if (now === this._about || app.view.tab !== "objects") return;
    if (!this._about.startsWith(JSON.stringify([place]).slice(0, -1))) this.selected.clear();
    this._about = now;
    this._soon();
  }

  /** Show outlines in place of what they were found in, on this tab. */
  _outlines() {
    const wanted = this.app.view.tab === "objects" && Boolean(this.known?.rows.label?.length);
    if (this.app.outlined === wanted) return;
    this.app.outlined = wanted;
    this.app.changed();
  }

  _layer() {
    const { app } = this;
    const layer = new Layer({
      address: (factor, row, column) => {
        if (!this.known?.rows.label?.length || !app.current || !this.shown) return null;
        const plane = Object.entries(app.plane).map(([axis, at]) => `${axis}=${at}`);
        const query = [...plane, `e=${app.state?.epoch}`].join("&");
        return `/images/${encodeURIComponent(app.image)}/objects/${factor}/${row}/${column}?${query}`;
      },
      changed: () => this.viewer.redraw(),
      failed: () => {},
      read: ObjectLabels.of,
    });
    layer.look = () => /** @type {any} */ ({
      style: "outlines",
      classes: [],
      version: this.version,
      colour: (/** @type {number} */ number) => this._outline(number),
      fill: (/** @type {number} */ number) => this._inside(number),
    });
    return layer;
  }

  /** Ask once more, and take no answer to what was asked before. */
  again() {
    this._asked += 1;
    this._soon();
  }

  /** Ask what objects there are now. */
  async load() {
    const { app } = this;
    if (!app.current || app.view.tab !== "objects") return;
    const asked = ++this._asked;
    const { image, plane } = app;
    const known = await app.ask("objects", { image, plane });
    if (!known || asked !== this._asked || !app.isShown(image, plane)) return;
    const names = [...this.values.keys()].filter((name) => known.measures.includes(name));
    const values = names.length ? await app.ask("object-values", { image, plane, names }) : {};
    if (!values || asked !== this._asked || !app.isShown(image, plane)) return;
    this.known = known;
    this.values = new Map(names.map((name) => [name, values[name]]));
    const labels = known.rows.label ?? [];
    this.rowOf = new Map(labels.map((/** @type {number} */ label, /** @type {number} */ row) => [label, row]));
    // Those of a plane that nobody looked at before are not known at once: one may be selected already.
    const coming = known.state !== "current" && !labels.length && (known.kept || known.how);
    if (!coming) this.selected = new Set([...this.selected].filter((one) => this.rowOf.has(one)));
    const classes = known.classes.map((/** @type {Class} */ one) => one.label);
    if (!classes.includes(this.label)) this.label = classes[0] ?? 1;
    this.layer.invalidate(null);
    this.dispatchEvent(new CustomEvent("known"));
    this.changed();
    this._outlines();
  }

  /** The selection, the colours or the filter changed. */
  changed() {
    this.version += 1;
    this.viewer.redraw();
    this.dispatchEvent(new CustomEvent("look"));
  }

  /**
   * Return a measure of all objects, asked for once.
   * @param {string} name
   * @returns {Promise<(number | null)[]>}
   */
  async measure(name) {
    const { rows } = this.known ?? { rows: {} };
    if (name in rows) return rows[/** @type {keyof typeof rows} */ (name)] ?? [];
    const there = this.values.get(name);
    if (there) return there;
    const { image, plane } = this.app;
    const found = await this.app.ask("object-values", { image, plane, names: [name] });
    if (found?.[name]) this.values.set(name, found[name]);
    return found?.[name] ?? [];
  }

  /**
   * @param {number} number
   * @returns {boolean}
   */
  passes(number) {
    if (!this.filter) return true;
    const row = this.rowOf.get(number);
    const value = row === undefined ? null : this._value(this.filter.name, row);
    return value !== null && value >= this.filter.low && value <= this.filter.high;
  }

  /**
   * @param {string} name
   * @param {number} row
   * @returns {number | null}
   */
  _value(name, row) {
    return (this.values.get(name) ?? this.known?.rows[name])?.[row] ?? null;
  }

  /**
   * Return the colour of an object: that of its class, or along a ramp.
   * @param {number} row
   */
  colourOf(row) {
    if (this.colourBy === "class") {
      const label = this.known?.given[row] || this.known?.rows.class?.[row] || 0;
      return this.known?.classes.find((one) => one.label === label)?.color ?? UNCLASSED;
    }
    const value = this._value(this.colourBy, row);
    const [low, high] = this.range(this.colourBy);
    return value === null ? GREY : ramp(high > low ? (value - low) / (high - low) : 0.5);
  }

  /**
   * Return the least and greatest value of a measure.
   * @param {string} name
   * @returns {[number, number]}
   */
  range(name) {
    let [low, high] = [Infinity, -Infinity];
    for (const value of this.values.get(name) ?? this.known?.rows[name] ?? []) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    return low <= high ? [low, high] : [0, 0];
  }

  /** @param {number} number */
  _outline(number) {
    const row = this.rowOf.get(number);
    if (this.selected.has(number)) return packed("#ffffff");
    if (row === undefined || !this.passes(number)) return 0;
    return packed(this.colourOf(row));
  }

  /** @param {number} number */
  _inside(number) {
    const row = this.rowOf.get(number);
    if (row === undefined) return 0;
    if (this.selected.has(number)) return packed(this.colourOf(row), 110);
    return this.known?.given[row] && this.passes(number) ? packed(this.colourOf(row), 60) : 0;
  }

  /**
   * Select objects, or (more) others too; those that are selected already are not any more then.
   * @param {Iterable<number>} numbers
   * @param {boolean} [more]
   */
  select(numbers, more = false) {
    if (!more) this.selected = new Set(numbers);
    else for (const one of numbers) if (!this.selected.delete(one)) this.selected.add(one);
    this.changed();
  }

  /**
   * @param {number} number
   * @returns {Box | null}
   */
  boxOf(number) {
    const row = this.rowOf.get(number);
    const { rows } = this.known ?? { rows: {} };
    if (row === undefined) return null;
    const edge = (/** @type {string} */ name) => /** @type {any} */ (rows)[name][row];
    return { top: edge("top"), left: edge("left"), bottom: edge("bottom"), right: edge("right") };
  }

  /**
   * Say of which class objects are; 0 takes it back.
   * @param {Iterable<number>} numbers
   * @param {number} label
   */
  async give(numbers, label) {
    const { image, plane } = this.app;
    const objects = [...numbers];
    if (objects.length) await this.app.ask("label-objects", { image, plane, objects, label });
  }

  /**
   * Correct objects by hand.
   * @param {string} kind
   * @param {number[]} objects
   * @param {[number, number][]} [points]
   */
  async correct(kind, objects, points = []) {
    const { image, plane } = this.app;
    await this.app.ask("correct-objects", { image, plane, kind, objects, points });
  }

  /**
   * Return the number of the object at a place; 0 where there is none.
   * @param {[number, number]} at
   * @returns {Promise<number>}
   */
  async at([y, x]) {
    const { image, plane } = this.app;
    return (await this.app.ask("object-at", { image, plane, y, x })) ?? 0;
  }
}

/** @param {number} share from 0 to 1 */
export function ramp(share) {
  const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1);
  const low = Math.min(Math.floor(at), RAMP.length - 2);
  const [a, b] = [RAMP[low], RAMP[low + 1]].map((c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16)));
  return `#${a.map((v, i) => Math.round(v + (b[i] - v) * (at - low)).toString(16).padStart(2, "0")).join("")}`;
}
