// What the page knows: the session's state as the server told it, and what this tab looks at.

import { Connection } from "./connection.js";
import { el } from "./dom.js";
import { forget, holds, holdsUnread, notice, orNotice } from "./notices.js";
import { acrossOf, planeAt, sheetOf, sizesOf } from "./slices.js";
import { showWhile } from "./tasks.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Img} Img */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./types.js").Stroke} Stroke */
/** @typedef {import("./types.js").Channel} Channel */
/** @typedef {import("./types.js").Class} Class */
/** @typedef {import("./types.js").Standing} Standing */

const KEPT = "stroma.view";

/** What this browser remembers from one visit to the next. */
const REMEMBERED = {
  theme: "dark",
  radius: 4,
  reach: 0.3,
  brushOn: "image",
  overlay: "labels",
  style: "filled",
  grey: false,
  opacity: 0.5,
  showStrokes: true,
  showTracks: true,
  tab: "paint",
};

/**
 * Events: "change" after state or view changed, "told" (detail: Told) for everything else, "class"
 * when the user has chosen one to paint, "chosen" when images were chosen.
 */
export class App extends EventTarget {
  constructor() {
    super();
    this.connection = new Connection();
    /** @type {State | null} */
    this.state = null;
    this.view = { ...REMEMBERED, ...remembered() };
    this.connected = false;
    this.image = "";
    /** Image to look at as soon as the state has it. */
    this.awaited = "";
    /** @type {Record<string, number>} */
    this.plane = {};
    /** @type {Record<string, number>} time and voxel in which the planes that are shown meet */
    this.cross = {};
    /** @type {Map<string, {cross: Record<string, number>, across: string}>} as it was last, by image */
    this.crosses = new Map();
    this.label = 1;
    /** @type {Class | null} a class that was added here, until the session has it */
    this.adding = null;
    /** @type {Set<number>} classes whose results are not shown */
    this.hidden = new Set();
    /** @type {Map<number, number>} how opaque the results of a class are, where less than others */
    this.faint = new Map();
    /** @type {Set<string>} images that were chosen in the overview, to do something with all of them */
    this.chosen = new Set();
    /** @type {Promise<unknown>} a change that was asked for and waits to be sent; undo comes after it */
    this.unsent = Promise.resolve();
    /** @type {Standing | null} what is known of the plane that was looked at last */
    this.standing = null;
    /** Whether outlines of objects are shown in place of results and strokes. */
    this.outlined = false;
    /** @type {{viewer: import("./viewer.js").Viewer, plane: () => Record<string, number>}[]} of a volume */
    this.panes = [];
    /** Class whose probability is shown. */
    this.probability = 1;
    /** @type {Map<string, Channel[]>} channels by image, once they are known */
    this.channels = new Map();
    /** @type {Set<string>} images whose channels were asked for */
    this.asked = new Set();
    /** @type {{image: string, plane: Record<string, number>, stroke: Stroke}[]} not stored yet */
    this.pending = [];
    this.connection.addEventListener("event", (event) => {
      this._told(/** @type {CustomEvent<Told>} */ (event).detail);
    });
    this.connection.addEventListener("lost", (event) => {
      notice(/** @type {CustomEvent<string>} */ (event).detail, "bad");
    });
  }

  /** @returns {Img | undefined} the image that is looked at */
  get current() {
    return this.state?.images.find((one) => one.key === this.image);
  }

  /**
   * Ask the session to do something; what goes wrong is shown until it goes well.
   * @param {string} command
   * @param {Record<string, any>} [values]
   * @returns {Promise<any>} what it answers; undefined where it could not
   */
  ask(command, values) {
    return orNotice(this.connection.send(command, values), `command ${command}`);
  }

  /**
   * Choose the class that is painted.
   * @param {number} label
   */
  chooseClass(label) {
    this.label = label;
    this.dispatchEvent(new CustomEvent("class"));
    this.changed();
  }

  /**
   * Show the results of a class, or not.
   * @param {number} label
   */
  toggleClass(label) {
    if (!this.hidden.delete(label)) this.hidden.add(label);
    this.changed();
  }

  /**
   * Show the results of one class alone, or those of all again.
   * @param {number} label
   */
  solo(label) {
    const others = (this.state?.classes ?? []).map((one) => one.label).filter((one) => one !== label);
    const alone = others.every((one) => this.hidden.has(one));
    this.hidden = new Set(alone ? [] : others);
    this.changed();
  }

  /** @returns {(Class & {alpha: number})[]} the classes whose results are shown */
  get shownClasses() {
    const all = (this.state?.classes ?? []).filter(({ label }) => !this.hidden.has(label));
    return all.map((one) => ({ ...one, alpha: this.faint.get(one.label) ?? 1 }));
  }

  /** @returns {string[]} the chosen images that are still open, in their order */
  get chosenImages() {
    return (this.state?.images ?? []).map((one) => one.key).filter((key) => this.chosen.has(key));
  }

  /**
   * Choose images to do something with all of them.
   * @param {Iterable<string>} keys
   */
  choose(keys) {
    this.chosen = new Set(keys);
    this.dispatchEvent(new CustomEvent("chosen"));
    this.changed();
  }

  /** Add a class; it is there at once, so that it can be named and painted. */
  async addClass() {
    if (!this.state || this.adding) return;
    const taken = new Set(this.state.classes.map((one) => one.label));
    let label = 1;
    while (taken.has(label)) label += 1;
    this.adding = { label, name: `class ${label}`, color: "#808080" };
    this._withAdded(this.state);
    this.chooseClass(label);
    const given = await this.ask("add-class");
    this.adding = null;
    if (given !== undefined && given !== label) this.chooseClass(given);
  }

  /** @param {State} state */
  _withAdded(state) {
    const { adding } = this;
    if (!adding || state.classes.some((one) => one.label === adding.label)) return;
    state.classes = [...state.classes, adding].sort((a, b) => a.label - b.label);
  }

  /**
   * Change what this tab looks at.
   * @param {Partial<typeof REMEMBERED>} values
   */
  look(values) {
    Object.assign(this.view, values);
    try {
      localStorage.setItem(KEPT, JSON.stringify(this.view));
    } catch {
      // Storage is full or switched off: the choice holds until the page is closed.
    }
    this.changed();
  }

  /**
   * Look at an image, or at another plane of it; one that is not there yet, when it comes.
   * @param {string} key
   * @param {Record<string, number>} [plane]
   */
  goTo(key, plane) {
    const image = this.state?.images.find((one) => one.key === key);
    this.awaited = image ? "" : key;
    if (!image) return;
    this.image = key;
    const first = Object.entries(sizesOf(image)).map(([axis, size]) => [axis, axis === "t" ? 0 : size >> 1]);
    const before = this.crosses.get(key);
    this.cross = { ...Object.fromEntries(first), ...before?.cross, ...plane };
    const named = ["y", "x", "z"].find((axis) => plane?.[axis] !== undefined);
    this.plane = planeAt(image, this.cross, named ?? before?.across ?? "z");
    this.crosses.set(key, { cross: this.cross, across: this.across });
    this.changed();
  }

  /** @returns {import("./slices.js").Across} the axis that the plane which is looked at lies across */
  get across() {
    return acrossOf(this.plane);
  }

  /** @returns {import("./slices.js").Sheet} the plane that is looked at: its size, and what is known of it */
  get sheet() {
    return sheetOf(this.current, this.plane);
  }

  /** @returns {boolean} whether the image can be cut across y and x too */
  get isVolume() {
    return (this.current?.outer.z ?? 1) > 1;
  }

  /**
   * Move where the planes meet; the plane that is looked at stays one across the same axis.
   * @param {Record<string, number>} place along some axes
   */
  moveCross(place) {
    if (!this.current) return;
    const sizes = sizesOf(this.current);
    const inside = Object.entries(place).map(([axis, at]) => [
      axis, Math.min(Math.max(Math.floor(at), 0), sizes[axis] - 1),
    ]);
    this.crosses.set(this.image, { cross: { ...this.cross, ...Object.fromEntries(inside) }, across: this.across });
    this.goTo(this.image);
  }

  /**
   * Look at the plane across another axis.
   * @param {string} across
   */
  turn(across) {
    this.crosses.set(this.image, { cross: this.cross, across });
    this.goTo(this.image);
  }

  /**
   * Paint; the stroke is drawn from memory until the session has stored it.
   * @param {Stroke} stroke
   */
  async paint(stroke) {
    const waiting = { image: this.image, plane: this.plane, stroke };
    this.pending.push(waiting);
    const { image, plane } = waiting;
    const { label, points, radius } = stroke;
    const rounded = points.map((point) => point.map((v) => Math.round(v * 100) / 100));
    const command = stroke.kind === "polygon" ? "fill" : "paint";
    const values = { image, plane, label, points: rounded };
    await this.ask(command, command === "paint" ? { ...values, radius } : values);
    this.dispatchEvent(new CustomEvent("stored", { detail: waiting }));
  }

  /**
   * Tell whether a plane of an image is what this tab looks at.
   * @param {string | undefined} image
   * @param {Record<string, number> | undefined} plane
   */
  isShown(image, plane = {}) {
    return image === this.image && Object.entries(this.plane).every(([a, at]) => plane[a] === at);
  }

  /** @param {number} label */
  colourOf(label) {
    return this.state?.classes.find((one) => one.label === label)?.color ?? "#808080";
  }

  /** Ask how the channels of the image are shown, once. */
  async loadChannels() {
    const key = this.image;
    if (!this.current || this.channels.has(key) || this.asked.has(key)) return;
    this.asked.add(key);
    const found = await showWhile("Reading the image", this.ask("channels", { image: key }));
    if (!found) {
      this.asked.delete(key);
      return;
    }
    if (!this.channels.has(key)) this.channels.set(key, found);
    this.changed();
  }

  /**
   * Look at the image that has taken the place of one that was closed, if there is one.
   * @param {number} at
   */
  _goToNeighbour(at) {
    const images = this.state?.images ?? [];
    const next = images[Math.min(Math.max(at, 0), images.length - 1)];
    this.image = "";
    this.plane = {};
    this.cross = {};
    if (next) this.goTo(next.key);
    else this.changed();
  }

  changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** @param {Told} told */
  _told(told) {
    if (told.event === "state" && told.state) {
      this._take(told.state);
      return;
    }
    if (told.event === "notice") notice(told.message ?? "", told.bad ? "bad" : "plain");
    this.dispatchEvent(new CustomEvent("told", { detail: told }));
  }

  /** @param {State} state what was noticed when the project was opened */
  _tellOpened({ notices, images }) {
    for (const { image, message } of notices) {
      const waits = images.find((one) => one.key === image)?.address;
      const more = waits ? this._asksServer(image, waits) : null;
      notice(message, "bad", { key: image ? `image ${image}` : undefined, more });
    }
  }

  /**
   * @param {string} image
   * @param {string} address where it lies
   */
  _asksServer(image, address) {
    const ask = () => this.ask("fetch", { image });
    return el("button", { type: "button", text: `Ask ${new URL(address).host} for it`, onclick: ask });
  }

  /**
   * Say when strokes cannot be stored, and when they can again.
   * @param {string} now
   * @param {string} before
   */
  _tellSaving(now, before) {
    holds("saving", now);
    if (before && !now) notice("Everything is saved again.", "good");
  }

  /** @param {State} state */
  _take(state) {
    this.connection.epoch = state.epoch;
    this.connection.home = state.home;
    if (!this.state) this._tellOpened(state);
    for (const { key, missing } of this.state?.images ?? []) {
      const now = state.images.find((one) => one.key === key);
      if (missing && !now?.missing) forget(`image ${key}`);
    }
    holdsUnread("mixed", state.mixed);
    this._tellSaving(state.unsaved, this.state?.unsaved ?? "");
    const before = this.state?.images ?? [];
    this._withAdded(state);
    this.state = state;
    for (const image of state.images) {
      if (image.display.channels) this.channels.set(image.key, image.display.channels);
    }
    const labels = state.classes.map((one) => one.label);
    if (!labels.includes(this.label)) this.label = labels[0] ?? 1;
    if (!labels.includes(this.probability)) this.probability = labels.at(-1) ?? 1;
    const at = before.findIndex((one) => one.key === this.image);
    const awaited = state.images.find((one) => one.key === this.awaited);
    if (awaited) this.goTo(awaited.key);
    else if (!before.length && state.looked) this.goTo(state.looked.image, state.looked.plane);
    else if (this.current) this.changed();
    else this._goToNeighbour(at);
  }
}

/** @returns {Partial<typeof REMEMBERED>} */
function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}
