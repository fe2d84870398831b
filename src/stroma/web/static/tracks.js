// Tracks over the movie: a tail behind every object, objects that are picked, one that is followed.

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./types.js").Told} Told */

/**
 * An object of the frame that is shown, and where it was: [frame, y, x], the object itself last.
 * @typedef {object} Tail
 * @property {number} label
 * @property {number} track
 * @property {number} family
 * @property {[number, number, number][]} points
 */

/**
 * @typedef {object} Tails
 * @property {number} frame
 * @property {number} objects of all frames
 * @property {number} tracks
 * @property {number} divisions
 * @property {number} count objects of this frame
 * @property {Tail[]} tails
 */

/** @typedef {{frame: number, label: number, y: number, x: number}} Picked */

const COLOURS = ["#66aadd", "#ee6677", "#44bb55", "#ccbb44", "#66ccee", "#dd66bb"];
const HEAD = 4;
const RING = 9;
/** How far from an object it may be clicked, in pixels of the screen. */
const REACH = 40;

/** @param {number} family */
export function colourOfFamily(family) {
  return COLOURS[family % COLOURS.length];
}

/**
 * Return the axis along which an image is a movie: time, or planes where it names no time.
 * @param {App} app
 */
export function timeAxis(app) {
  return (app.current?.outer.t ?? 1) > 1 ? "t" : "z";
}

/** What is known of the tracks of the image that is looked at. Events: "change". */
export class Tracks extends EventTarget {
  /**
   * @param {App} app
   * @param {Viewer} viewer
   */
  constructor(app, viewer) {
    super();
    this.app = app;
    this.viewer = viewer;
    /** @type {Tails | null} */
    this.shown = null;
    /** @type {Picked[]} in the order in which they were picked */
    this.picked = [];
    /** Track that is followed, 0 for none. */
    this.followed = 0;
    /** How often tracks changed, so that what was asked before is known to be old. */
    this.version = 0;
    this.asked = "";
    this.image = "";
    app.addEventListener("change", () => this._look());
    app.addEventListener("told", (event) => this._told(/** @type {CustomEvent<Told>} */ (event).detail));
    viewer.addEventListener("drawn", (event) => {
      this._draw(/** @type {CustomEvent<CanvasRenderingContext2D>} */ (event).detail);
    });
  }

  /** @returns {boolean} whether the image that is looked at has tracks */
  get known() {
    return Boolean(this.app.current?.tracked);
  }

  /** @returns {number} the frame that is shown */
  get frame() {
    return this.app.plane[timeAxis(this.app)] ?? 0;
  }

  /** The tool that picks objects; the object that is picked is followed. */
  get tool() {
    return { cursor: "pointer", down: (/** @type {[number, number]} */ at) => this.pickAt(at) };
  }

  /** @param {[number, number]} at y and x */
  pickAt([y, x]) {
    const { shown, frame } = this;
    if (!shown || shown.frame !== frame) return;
    const far = (/** @type {Tail} */ tail) => {
      const [, ty, tx] = headOf(tail);
      return Math.hypot(ty + 0.5 - y, tx + 0.5 - x);
    };
    const nearest = [...shown.tails].sort((a, b) => far(a) - far(b))[0];
    if (!nearest || far(nearest) * this.viewer.camera.scale > REACH) return;
    const [, ty, tx] = headOf(nearest);
    this.pick({ frame, label: nearest.label, y: ty, x: tx });
    this.followed = nearest.track;
    this._changed();
  }

  /**
   * Pick an object, or leave it out if it is picked already.
   * @param {Picked} one
   */
  pick(one) {
    const others = this.picked.filter(({ frame, label }) => frame !== one.frame || label !== one.label);
    this.picked = others.length < this.picked.length ? others : [...this.picked, one];
    this._changed();
  }

  clearPicks() {
    this.picked = [];
    this.followed = 0;
    this._changed();
  }

  /**
   * Go to the object of a track that is nearest in time to a frame, and follow the track.
   * @param {number} track
   * @param {number} frame
   */
  async goTo(track, frame) {
    const { image } = this.app;
    /** @type {Picked | null | undefined} */
    const found = await this.app.ask("track-member", { image, track, frame });
    if (!found || image !== this.app.image) return;
    this.picked = [found];
    this.followed = track;
    this._centre(found.y, found.x);
    this.app.goTo(image, { [timeAxis(this.app)]: found.frame });
    this._changed();
  }

  /**
   * Correct what is picked; earlier objects become later ones.
   * @param {string} kind
   */
  async correct(kind) {
    const objects = [...this.picked].sort((a, b) => a.frame - b.frame).map(({ frame, label }) => [frame, label]);
    const done = await this.app.ask("correct-tracks", { image: this.app.image, kind, objects });
    if (done === undefined) return; // it was refused, in words; what is picked stays
    this.clearPicks();
  }

  _changed() {
    this.viewer.redraw();
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** @param {Told} told */
  _told(told) {
    if (told.event !== "tracks" || told.image !== this.app.image) return;
    this.version += 1;
    this._look();
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** Ask for what the frame shows, once. */
  async _look() {
    const { app, frame } = this;
    if (app.image !== this.image) {
      this.image = app.image;
      this.shown = null;
      this.clearPicks();
    }
    const wanted = JSON.stringify([app.image, frame, this.version, app.connected]);
    if (!this.known || !app.connected) {
      this.asked = "";
      if (!this.known && this.shown) {
        this.shown = null;
        this._changed();
      }
      return;
    }
    if (wanted === this.asked) return;
    this.asked = wanted;
    /** @type {Tails | null | undefined} */
    const found = await app.ask("tails", { image: app.image, frame });
    if (wanted !== this.asked) return; // another frame is looked at by now
    if (found === undefined) this.asked = "";
    this.shown = found ?? null;
    this._follow();
    this._changed();
  }

  /** Keep the object that is followed in the middle. */
  _follow() {
    const own = this.followed && this.shown?.tails.find(({ track }) => track === this.followed);
    if (!own || this.picked.some(({ frame }) => frame === this.frame)) return;
    const [, y, x] = headOf(own);
    this._centre(y, x);
  }

  /**
   * @param {number} y
   * @param {number} x
   */
  _centre(y, x) {
    Object.assign(this.viewer.camera, { y: y + 0.5, x: x + 0.5 });
    this.viewer.moved();
  }

  /** @param {CanvasRenderingContext2D} context */
  _draw(context) {
    const { app, shown } = this;
    if (!shown || !app.view.showTracks || app.across !== "z") return;
    context.save();
    context.lineJoin = "round";
    for (const tail of shown.tails) this._drawTail(context, tail);
    for (const one of this.picked) this._drawRing(context, one);
    context.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Tail} tail
   */
  _drawTail(context, tail) {
    const { camera } = this.viewer;
    context.strokeStyle = context.fillStyle = colourOfFamily(tail.family);
    context.lineWidth = tail.track === this.followed ? 4 : 2;
    context.beginPath();
    for (const [, y, x] of tail.points) context.lineTo(.../** @type {[number, number]} */ (camera.toScreen(y + 0.5, x + 0.5)));
    context.stroke();
    const [, y, x] = headOf(tail);
    const [sx, sy] = camera.toScreen(y + 0.5, x + 0.5);
    context.beginPath();
    context.arc(sx, sy, HEAD, 0, 2 * Math.PI);
    context.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Picked} one
   */
  _drawRing(context, { frame, y, x }) {
    const [sx, sy] = this.viewer.camera.toScreen(y + 0.5, x + 0.5);
    context.setLineDash(frame === this.frame ? [] : [3, 3]);
    for (const [width, style] of [[4, "rgb(0 0 0 / 60%)"], [2, "#ffffff"]]) {
      context.lineWidth = Number(width);
      context.strokeStyle = String(style);
      context.beginPath();
      context.arc(sx, sy, RING, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}

/** @param {Tail} tail */
function headOf(tail) {
  return tail.points[tail.points.length - 1];
}
