// Click, get an object: what was clicked, what is proposed for it, and committing that.

import { STROKE, WIDEST, drawMark, round } from "./object-marks.js";
import { Mask } from "./object-mask.js";
import { notice } from "./notices.js";
import { showWhile } from "./tasks.js";
import { reached } from "./tools.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./viewer.js").Tool} Tool */
/** @typedef {import("./object-desk.js").ObjectDesk} ObjectDesk */

/** Pixels of the screen that a press may move and still be a click. */
const STILL = 4;
const DELAY = 250;

/** @typedef {import("./object-marks.js").Mark} Mark */

/**
 * @typedef {object} Found
 * @property {number} number
 * @property {import("./types.js").Box} box
 * @property {string} mask
 * @property {number} area
 * @property {number} score
 * @property {number} choice
 * @property {number} choices
 * @property {boolean} cut
 * @property {number} replaces the object that it is a change of; 0 for a new one
 */

/** An object that is being made. */
class Draft {
  /**
   * @param {string} image
   * @param {string} where
   */
  constructor(image, where) {
    this.image = image;
    this.where = where;
    /** @type {Mark[]} */
    this.marks = [];
    this.choice = 0;
    /** Number of an answer that was chosen, and is gone on from; 0 for none. */
    this.after = 0;
    /** @type {Found | null} */
    this.found = null;
    /** @type {Mask | null} */
    this.mask = null;
    /** @type {Promise<void>} until it answers what was said last */
    this.answered = Promise.resolve();
    /** Whether an answer is on its way. */
    this.busy = false;
    /** Counts what was said, so that late answers are told from those to the last question. */
    this.asked = 0;
    /** The object it became; 0 before. */
    this.object = 0;
  }

  /** Whether it is an object that was there before, and nothing was said of it yet. */
  get same() {
    return Boolean(this.found?.replaces) && this.marks.length === 1;
  }
}

/** Events: "look" after a proposal came or went, "chosen" after the tool was taken or put away. */
export class Clicks extends EventTarget {
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
    this.engine = "graph";
    this.chosen = false;
    /** Whether each click is for an object of its own; Shift adds to the one at hand. */
    this.each = false;
    /** Whether a drag is a stroke on the object, instead of a box around it. */
    this.strokes = false;
    /** Whether clicks say what does not belong to the object. */
    this.beside = false;
    /** Whether all objects are being looked for. */
    this.finding = false;
    this.draft = new Draft(this.app.image, this._where());
    /** The object that was committed last here; 0 for none. */
    this.last = 0;
    /** @type {Draft[]} committed, and not seen as objects yet */
    this.waiting = [];
    this.tool = this._tool();
    this._ready = settled(() => this._prepare(), DELAY);
    app.addEventListener("change", () => this._moved());
    viewer.addEventListener("view", () => this._ready());
    desk.addEventListener("known", () => this._known());
  }

  _where() {
    return JSON.stringify([this.app.image, this.app.plane]);
  }

  /** @param {Draft} draft of the image that is looked at, on whatever plane */
  _isHere({ image }) {
    return image === this.app.image;
  }

  /** @param {boolean} on whether the tool is in hand */
  choose(on) {
    if (this.chosen && !on) {
      this.clear();
      this.app.ask("prompt-left");
    }
    this.chosen = on;
    this.dispatchEvent(new CustomEvent("chosen"));
    if (on) this._ready();
  }

  _moved() {
    if (this.draft.where === this._where()) return;
    if (!this._isHere(this.draft)) this.last = 0;
    this.draft = new Draft(this.app.image, this._where());
    this._show();
    this._ready();
  }

  /** Have the engine look at what is in view, so that the first click is answered at once. */
  _prepare() {
    const { app } = this;
    if (!this.chosen || !app.current || app.view.tab !== "objects") return;
    const { image, plane } = app;
    const box = this.viewer.camera.view();
    if (box.bottom <= box.top || box.right <= box.left) return;
    showWhile("Looking at the image", app.ask("prompt-ready", { image, plane, box, engine: this.engine }));
  }

  /** Objects came: those that are seen now need not be drawn here any more. */
  _known() {
    const { known, rowOf } = this.desk;
    this.waiting = this.waiting.filter(
      ({ object, where }) =>
        where === this._where() && !(object && (rowOf.has(object) || known?.state === "current")),
    );
    this.viewer.redraw();
  }

  _show() {
    this.viewer.redraw();
    this.dispatchEvent(new CustomEvent("look"));
  }

  /** @param {Mark} mark */
  add(mark) {
    const { draft } = this;
    if (draft.found && (draft.found.choice > 0 || draft.same)) draft.after = draft.found.number;
    draft.marks.push(mark);
    draft.choice = 0;
    this._propose(draft);
  }

  /** Take back what was said last. */
  back() {
    const { draft } = this;
    draft.marks.pop();
    if (draft.found?.replaces && draft.marks.length === 1) draft.after = 0; // as it was when it was reopened
    this._propose(draft);
  }

  /** Show what else may be meant. */
  another() {
    const { draft } = this;
    if (!draft.found || draft.found.choices < 2) return;
    draft.choice = draft.found.choice + 1;
    this._propose(draft);
  }

  clear() {
    this.draft = new Draft(this.app.image, this._where());
    this._show();
  }

  /** Let clicks take away that added, and the other way round. */
  turn() {
    this.beside = !this.beside;
    this._show();
  }

  get marked() {
    return this.draft.marks.length > 0;
  }

  /** Whether something is proposed, or about to be, that can become an object. */
  get committable() {
    const { found, busy, marks, same } = this.draft;
    return (Boolean(found) && !same) || (busy && marks.some((mark) => mark.on));
  }

  /** @param {Draft} draft */
  _propose(draft) {
    draft.asked += 1;
    const before = draft.answered;
    const about = draft.asked;
    const asked = this._asked(draft); // of what is looked at now; it may be another image later
    draft.busy = true;
    draft.answered = (async () => {
      await before;
      if (about !== draft.asked) return; // something was said since, and is asked next
      const on = draft.marks.some((mark) => mark.on);
      const found = on ? await this.app.ask("propose", asked) : null;
      if (about !== draft.asked) return;
      draft.busy = false;
      draft.found = found ?? null;
      draft.mask = found ? new Mask(found.box, found.mask) : null;
      this._show();
    })();
    this._show();
  }

  /** @param {Draft} draft */
  _asked({ marks, choice, after }) {
    const { image, plane } = this.app;
    const of = (/** @type {string} */ kind) => marks.filter((mark) => mark.kind === kind);
    return {
      image, plane, choice, after, reopen: true, engine: this.engine, box: this.viewer.camera.view(),
      points: of("click").map(({ points }) => points[0]),
      labels: of("click").map(({ on }) => Number(on)),
      boxes: of("box").map(({ points: [a, b] }) => [...a, ...b]),
      strokes: of("stroke").map(({ points, on, radius }) => ({ points, on, radius })),
    };
  }

  /** Make the proposal an object; the next click is for another one at once. */
  async commit() {
    const { draft } = this;
    if (draft.same && !draft.busy) this.clear();
    if (!this.committable) return;
    this.clear();
    this.waiting.push(draft);
    const committed = this._committed(draft);
    this.draft.answered = this.app.unsent = committed; // what is said next keeps off its pixels
    await committed;
  }

  /** @param {Draft} draft */
  async _committed(draft) {
    await draft.answered;
    const proposal = draft.same ? undefined : draft.found?.number;
    const object = proposal === undefined ? 0 : await this.app.ask("commit-object", { proposal });
    if (object) {
      draft.object = object;
      if (this._isHere(draft)) this.last = object;
    } else this.waiting = this.waiting.filter((one) => one !== draft);
    this._known();
  }

  /** The object that is carried on: the one that is selected, or was committed last. */
  get carried() {
    const { selected, rowOf } = this.desk;
    const number = selected.size === 1 ? [...selected][0] : this.last;
    return rowOf.has(number) ? number : 0;
  }

  /** Find an object on neighbouring planes too, until it fades. */
  async carry() {
    const { image, plane } = this.app;
    const values = { image, plane, object: this.carried, engine: this.engine };
    const count = await showWhile("Carrying the object", this.app.ask("carry-object", values));
    if (count === undefined) return;
    notice(count ? `The object goes on through ${count} more planes.` : "The object ends on this plane.");
  }

  /** Find all objects, beside those that are there; a step of undo. */
  async everything() {
    const { image } = this.app;
    this.clear();
    this.finding = true;
    this._show();
    const count = await this.app.ask("find-everything", { image, engine: this.engine });
    this.finding = false;
    this._show();
    if (count === 0) notice("No more objects stand out clearly. Click them one by one.");
    else if (count) notice(`${count.toLocaleString("en")} objects were found. Undo drops all of them; what is wrong is selected (Q) and deleted.`);
  }

  // ---------------------------------------------------------------- the pointer

  /** @returns {Tool} */
  _tool() {
    /** @type {{on: boolean, more: boolean, points: [number, number][]} | null} */
    let pressed = null;
    const drop = () => {
      pressed = null;
    };
    return {
      cursor: "crosshair",
      right: true,
      down: (at, event) => {
        const other = event.altKey || event.button === 2;
        pressed = { on: other === this.beside, more: event.shiftKey, points: [at] };
      },
      move: (at) => {
        pressed?.points.push(...at);
      },
      up: () => {
        if (pressed) this._said(pressed);
        drop();
      },
      retract: drop,
      cancel: drop,
      reach: (viewer) => reached(viewer, pressed?.points ?? [], WIDEST),
      draw: (context, viewer) => {
        for (const one of this.waiting) if (one.where === this._where()) one.mask?.draw(context, viewer, true);
        this.draft.mask?.draw(context, viewer, false);
        for (const mark of this.draft.marks) drawMark(context, viewer, mark);
        if (pressed) drawMark(context, viewer, this._mark(pressed));
      },
    };
  }

  /** @param {{on: boolean, more: boolean, points: [number, number][]}} pressed */
  _said(pressed) {
    const mark = this._mark(pressed);
    const own = mark.kind === "box" || (mark.kind === "click" && mark.on);
    if (this.each && own && !pressed.more && this.marked) this.commit();
    this.add(mark);
  }

  /**
   * @param {{on: boolean, more: boolean, points: [number, number][]}} pressed
   * @returns {Mark}
   */
  _mark({ on, more, points }) {
    const { scale, stretch } = this.viewer.camera;
    const rounded = points.map(([y, x]) => /** @type {[number, number]} */ ([round(y), round(x)]));
    const [first, last] = [rounded[0], rounded[rounded.length - 1]];
    const apart = points.map(([y, x]) => Math.hypot((y - first[0]) * stretch, x - first[1]) * scale);
    const radius = round(STROKE / scale);
    if (Math.max(...apart) < STILL) return { kind: "click", on, points: [first], radius };
    if (on && !more && !this.strokes) return { kind: "box", on, points: [first, last], radius };
    return { kind: "stroke", on, points: rounded, radius };
  }
}
