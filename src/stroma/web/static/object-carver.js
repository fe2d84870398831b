// Carving an object: strokes on it and beside it, what they mean on this plane, and committing that.

import { STROKE, WIDEST, drawMark, round } from "./object-marks.js";
import { Mask } from "./object-mask.js";
import { showWhile } from "./tasks.js";
import { reached } from "./tools.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./viewer.js").Tool} Tool */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

/**
 * @typedef {{points: [number, number][], on: boolean, radius: number}} Line
 */

/**
 * @typedef {object} Carving
 * @property {Line[]} lines on this plane
 * @property {number} count strokes on all planes
 * @property {string} opened
 * @property {string} free
 * @property {{boundary: string, sigma: number, label: number}} how
 * @property {{name: string, number: number, frame: number, locked: boolean}[]} named
 * @property {{box: import("./types.js").Box, mask: string, pixels: number, lacking: string}} found
 */

const DELAY = 60;

/** Events: "look" after strokes or answers came or went, "chosen" after the tool was taken or put away. */
export class Carver extends EventTarget {
  /**
   * @param {App} app
   * @param {Viewer} viewer
   * @param {ObjectDesk} desk
   */
  constructor(app, viewer, desk) {
    super();
    this.app = app;
    this.viewer = viewer;
    this.desk = desk;
    this.chosen = false;
    /** @type {Carving | null} */
    this.known = null;
    /** @type {Mask | null} */
    this.mask = null;
    /** @type {Line[]} drawn here, and not told back yet */
    this.pending = [];
    /** How often the image is being cut into regions. */
    this.cutting = 0;
    /** Strokes that are not answered yet. */
    this.sent = 0;
    this._where = this._here = this._frame = "";
    this._asked = 0;
    /** @type {Map<Viewer, {where: string, mask: Mask | null}>} answers beside the plane, of a volume */
    this._aside = new Map();
    this.tool = this._tool();
    this._soon = settled(() => this.load(), DELAY);
    app.addEventListener("change", () => this._moved());
    app.addEventListener("told", (event) => {
      const { event: name, image } = /** @type {CustomEvent<any>} */ (event).detail;
      if ((name === "carving" || name === "objects") && image === app.image) this.load();
    });
  }

  /** @param {boolean} on whether the tool is in hand */
  choose(on) {
    if (on === this.chosen) return;
    this.chosen = on;
    if (on) this.prepare();
    else this._forget();
    this.dispatchEvent(new CustomEvent("chosen"));
  }

  _forget() {
    this.app.panes.forEach(({ viewer }) => viewer.redraw());
    this.known = this.mask = null;
    this.pending = [];
    this._show();
  }

  _moved() {
    const { image, plane, cross } = this.app;
    const now = JSON.stringify([image, cross]);
    const here = JSON.stringify([image, plane]);
    if (now === this._where && here === this._here) return;
    const before = this._frame;
    this._where = now;
    this._frame = JSON.stringify([image, plane.t ?? 0]);
    if (here !== this._here) {
      this.mask = null;
      this.pending = [];
    }
    this._here = here;
    if (!this.chosen) return;
    if (before === this._frame) this._soon();
    else this.prepare();
  }

  /** Have the image cut into regions, which takes a while once; then every stroke is answered at once. */
  async prepare() {
    const { app } = this;
    if (!this.chosen || !app.current) return;
    const { image, plane } = app;
    this.load();
    this.cutting += 1;
    this._show();
    await showWhile("Cutting the image into regions", app.ask("prepare-carving", { image, plane }));
    this.cutting -= 1;
    this.load();
  }

  /** Ask what was said, and what it means on this plane. */
  async load() {
    const { app } = this;
    if (!this.chosen || !app.current || app.view.tab !== "objects") return;
    const asked = ++this._asked;
    const { image, plane } = app;
    const sent = this.sent;
    const known = await app.ask("carving", { image, plane });
    if (asked !== this._asked || !this.chosen) return;
    this.known = known ?? null;
    const found = this.known?.found;
    this.mask = found?.mask ? new Mask(found.box, found.mask) : null;
    if (sent === this.sent) this.pending = [];
    this._show();
    await this._lookAside(asked);
  }

  /**
   * Ask what it means on the two other planes of a volume.
   * @param {number} asked
   */
  async _lookAside(asked) {
    const { image, isVolume, panes } = this.app;
    if (!isVolume) return;
    const sought = panes.map(({ viewer, plane }) => ({ viewer, plane: plane() }));
    const answers = await Promise.all(
      sought.map(({ plane }) => (this.answered ? this.app.ask("carving", { image, plane }) : null)),
    );
    if (asked !== this._asked) return;
    sought.forEach(({ viewer, plane }, i) => {
      const found = /** @type {Carving | null | undefined} */ (answers[i])?.found;
      const mask = found?.mask ? new Mask(found.box, found.mask) : null;
      if (!this._aside.has(viewer)) viewer.addEventListener("drawn", (event) => this._drawAside(viewer, event));
      this._aside.set(viewer, { where: JSON.stringify(plane), mask });
      viewer.redraw();
    });
  }

  /**
   * @param {Viewer} viewer
   * @param {Event} event
   */
  _drawAside(viewer, event) {
    const there = this._aside.get(viewer);
    const plane = this.app.panes.find((one) => one.viewer === viewer)?.plane();
    if (!this.chosen || there?.where !== JSON.stringify(plane)) return;
    there.mask?.draw(/** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail, viewer, false);
  }

  _show() {
    this.viewer.redraw();
    this.dispatchEvent(new CustomEvent("look"));
  }

  get marked() {
    return Boolean(this.known?.count || this.pending.length);
  }

  /** Whether there is an answer that can be committed. */
  get answered() {
    return Boolean(this.known?.count && !this.known.found.lacking);
  }

  /** @param {Line} line */
  async draw(line) {
    const { image, plane } = this.app;
    this.pending.push(line);
    this.sent += 1;
    this._show();
    const drawn = this.app.ask("carve-stroke", { image, plane, ...line });
    this.app.unsent = drawn;
    await drawn;
    this.load();
  }

  /**
   * @param {string} name
   * @param {boolean} lock
   * @returns {Promise<number | undefined>} the object's number; none where it was refused
   */
  async commit(name, lock) {
    const { image, plane } = this.app;
    if (!this.marked) return undefined;
    await this.app.unsent;
    const number = await this.app.ask("commit-carved", { image, plane, name, lock });
    this.load();
    return number;
  }

  clear() {
    if (this.marked || this.known?.opened) this.app.ask("clear-carving", { image: this.app.image });
  }

  /** Take back the last stroke, whatever else was done since. */
  back() {
    if (this.known?.count) this.app.ask("take-back-carving", { image: this.app.image });
  }

  /** @param {Partial<Carving["how"]>} more */
  async bound(more) {
    if (!this.known) return;
    await this.app.ask("set-boundaries", { image: this.app.image, ...this.known.how, ...more });
    this.prepare();
  }

  /** @param {string} name */
  reopen(name) {
    return this.app.ask("reopen-carved", { image: this.app.image, name });
  }

  /**
   * @param {string} name
   * @param {boolean} locked
   */
  lock(name, locked) {
    return this.app.ask("lock-carved", { image: this.app.image, name, locked });
  }

  // ---------------------------------------------------------------- the pointer

  /** @returns {Tool} */
  _tool() {
    /** @type {Line | null} */
    let drawn = null;
    const drop = () => {
      drawn = null;
    };
    return {
      cursor: "crosshair",
      right: true,
      down: (at, event) => {
        const radius = round(STROKE / this.viewer.camera.scale);
        drawn = { points: [at], on: !event.altKey && event.button !== 2, radius };
      },
      move: (at) => {
        drawn?.points.push(...at);
      },
      up: () => {
        if (drawn) this.draw({ ...drawn, points: drawn.points.map(([y, x]) => [round(y), round(x)]) });
        drop();
      },
      retract: drop,
      cancel: drop,
      reach: (viewer) => reached(viewer, drawn?.points ?? [], WIDEST),
      draw: (context, viewer) => {
        this.mask?.draw(context, viewer, false);
        const lines = [...(this.known?.lines ?? []), ...this.pending, ...(drawn ? [drawn] : [])];
        for (const line of lines) drawMark(context, viewer, { kind: "stroke", ...line });
      },
    };
  }
}
