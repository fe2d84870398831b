// The canvas: layers of tiles, strokes on their way, the brush; zooming and panning.

import { Camera } from "./camera.js";

/** @typedef {import("./types.js").Stroke} Stroke */
/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./layer.js").Layer} Layer */

const WHEEL = 0.0016;
const NOTCH = 100;
const KEY_STEP = 60;

/**
 * What a tool is told. Positions are [y, x] in pixels of the image.
 * @typedef {object} Tool
 * @property {string} cursor the CSS cursor
 * @property {boolean} [right] whether it is also told of the right button
 * @property {(at: [number, number], event: PointerEvent) => void} [down]
 * @property {(at: [number, number][], event: PointerEvent) => void} [move]
 * @property {() => void} [up]
 * @property {() => void} [retract] what is under way was not meant: fingers that zoom, not paint
 * @property {() => void} [cancel] give up everything that is not done yet
 * @property {(context: CanvasRenderingContext2D, viewer: Viewer) => void} [draw]
 * @property {(viewer: Viewer) => Box | null} [reach] where on the screen it draws otherwise than
 *   when it drew last; null where nowhere. All is drawn again for tools that do not say
 */

/**
 * Shows a plane. Events: "view" after the camera moved, "hover" (detail: [y, x] or null), "size"
 * (detail: steps) when the brush is to change, "cross" (detail: [y, x]) for presses with Ctrl.
 */
export class Viewer extends EventTarget {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.camera = new Camera();
    /** @type {Layer[]} from bottom to top */
    this.layers = [];
    /** @type {Tool} */
    this.tool = { cursor: "grab" };
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    /** @type {"none" | "tool" | "pan" | "pinch" | "cross"} */
    this.gesture = "none";
    /** @type {number | null} the pen that is down */
    this.pen = null;
    this.penKnown = false;
    this.spaceHeld = false;
    /** @type {[number, number] | null} */
    this.hover = null;
    this.scheduled = false;
    /** Whether more is to be drawn than the tool. */
    this.changed = true;
    /** @type {Box | null} where the tool was drawn last */
    this.reached = null;
    /** Whether strokes are drawn here until they are stored. */
    this.paints = true;
    this._listen();
    new ResizeObserver(() => this._resize()).observe(canvas);
  }

  /**
   * Show a plane of that size: as a whole, or as it was looked at before.
   * @param {{height: number, width: number, stretch: number}} plane stretch: height of a pixel, in its widths
   * @param {{y: number, x: number, scale: number}} [seen]
   */
  setPlane({ height, width, stretch }, seen) {
    this.camera.planeHeight = height;
    this.camera.planeWidth = width;
    this.camera.stretch = stretch;
    if (seen) Object.assign(this.camera, seen);
    else this.camera.fit();
    this.moved();
  }

  /** @param {Tool} tool */
  setTool(tool) {
    this.tool.cancel?.();
    this.tool = tool;
    this._showCursor();
    this.redraw();
    this.dispatchEvent(new CustomEvent("tool"));
  }

  /** Draw soon; asking often costs nothing. */
  redraw() {
    this.changed = true;
    this._schedule();
  }

  _schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      if (this.changed) this._draw();
      else if (this.tool.draw) this._drawTool();
    });
  }

  /** The camera moved. */
  moved() {
    this.redraw();
    this.dispatchEvent(new CustomEvent("view"));
  }

  /** @param {number} factor */
  zoomBy(factor) {
    this.camera.zoom(factor, this.camera.width / 2, this.camera.height / 2);
    this.moved();
  }

  fit() {
    this.camera.fit();
    this.moved();
  }

  _resize() {
    const density = window.devicePixelRatio || 1;
    const { width, height } = this.canvas.getBoundingClientRect();
    if (!width || !height) return;
    const whole = this.camera.width === 1 || this.camera.isFit;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.camera.width = width;
    this.camera.height = height;
    if (whole) this.camera.fit();
    this._draw();
    this.moved();
  }

  _draw() {
    this.changed = false;
    this.reached = this.tool.reach?.(this) ?? null;
    this._drawIn({ top: 0, left: 0, bottom: this.camera.height, right: this.camera.width });
  }

  /** Draw where the tool was and where it is: a large screen is not drawn anew for each move. */
  _drawTool() {
    if (!this.tool.reach) return this._draw();
    const [before, now] = [this.reached, this.tool.reach(this)];
    this.reached = now;
    const both = before && now ? around(before, now) : before ?? now;
    if (both) this._drawIn(both);
  }

  /** @param {Box} box on the screen */
  _drawIn({ top, left, bottom, right }) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const density = window.devicePixelRatio || 1;
    const [x, y] = [Math.floor(left * density), Math.floor(top * density)];
    const [width, height] = [Math.ceil(right * density) - x, Math.ceil(bottom * density) - y];
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.clearRect(x, y, width, height);
    context.setTransform(density, 0, 0, density, 0, 0);
    for (const layer of this.layers) layer.draw(context, this.camera, density);
    this.tool.draw?.(context, this);
    this.dispatchEvent(new CustomEvent("drawn", { detail: context }));
    context.restore();
  }

  _listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this._down(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    canvas.addEventListener("pointerup", (event) => this._up(event));
    canvas.addEventListener("pointercancel", (event) => this._up(event, true));
    canvas.addEventListener("pointerleave", () => this._hoverAt(null));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this._key(event));
    canvas.addEventListener("blur", () => delete canvas.dataset.pressed);
    window.addEventListener("keydown", (event) => this._space(event, true));
    window.addEventListener("keyup", (event) => this._space(event, false));
    window.addEventListener("blur", () => this._space(null, false));
  }

  /** @param {PointerEvent} event */
  _down(event) {
    event.preventDefault();
    if (this._isUnwanted(event)) return;
    if (event.pointerType === "pen") this._penDown(event.pointerId);
    this.canvas.dataset.pressed = "yes";
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this._local(event));
    const finger = event.pointerType === "touch";
    if (this.pointers.size === 2) {
      if (this.gesture === "tool") this.tool.retract?.();
      this.gesture = "pinch";
    } else if (event.button === 1 || this.spaceHeld || !this.tool.down || (finger && this.penKnown)) {
      this.gesture = "pan";
    } else if (event.button === 0 && (event.ctrlKey || event.metaKey)) {
      this.gesture = "cross";
      this._tellCross(event);
    } else if (event.button === 0 || event.button === 5 || (event.button === 2 && this.tool.right)) {
      this.gesture = "tool";
      this.tool.down(this._at(event), event);
    }
    this._showCursor();
    this.redraw();
  }

  /**
   * Tell whether a touch is the hand that holds the pen, or a finger too many.
   * @param {PointerEvent} event
   */
  _isUnwanted(event) {
    if (event.pointerType === "pen") return false;
    return this.pointers.size > 1 || (event.pointerType === "touch" && this.pen !== null);
  }

  /**
   * Let the pen paint, whatever the hand that holds it has begun; fingers move and zoom from now on.
   * @param {number} id
   */
  _penDown(id) {
    if (this.gesture === "tool") this.tool.retract?.();
    this.pointers.clear();
    this.gesture = "none";
    this.pen = id;
    this.penKnown = true;
  }

  /** @param {PointerEvent} event */
  _move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before && this.gesture !== "none") return;
    const now = this._local(event);
    this._hoverAt(this._at(event));
    if (!before) {
      this.tool.move?.([this._at(event)], event);
    } else if (this.gesture === "tool") {
      const all = event.getCoalescedEvents?.() ?? [];
      this.tool.move?.((all.length ? all : [event]).map((one) => this._at(one)), event);
    } else if (this.gesture === "cross") {
      this._tellCross(event);
    } else if (this.gesture === "pan") {
      this.camera.pan(now.x - before.x, now.y - before.y);
      this.moved();
    } else {
      this._pinch(event.pointerId, before, now);
    }
    if (before) this.pointers.set(event.pointerId, now);
  }

  /** @param {PointerEvent} event */
  _tellCross(event) {
    this.dispatchEvent(new CustomEvent("cross", { detail: this._at(event) }));
  }

  /**
   * @param {PointerEvent} event
   * @param {boolean} [cancelled]
   */
  _up(event, cancelled = false) {
    if (event.pointerId === this.pen) this.pen = null;
    if (!this.pointers.delete(event.pointerId)) return;
    if (this.gesture === "tool") {
      if (cancelled) this.tool.cancel?.();
      else this.tool.up?.();
      this.redraw();
    }
    this.gesture = this.pointers.size && this.gesture === "pinch" ? "pan" : "none";
    this._showCursor();
  }

  /**
   * Move and zoom so that both fingers stay on what they touch.
   * @param {number} id
   * @param {{x: number, y: number}} before
   * @param {{x: number, y: number}} now
   */
  _pinch(id, before, now) {
    const other = [...this.pointers.entries()].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const apart = Math.hypot(before.x - other.x, before.y - other.y);
    const nowApart = Math.hypot(now.x - other.x, now.y - other.y);
    this.camera.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (apart > 8 && nowApart > 8) {
      this.camera.zoom(nowApart / apart, (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
    this.moved();
  }

  /** @param {WheelEvent} event */
  _wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    if (event.shiftKey) {
      const turned = event.deltaY || event.deltaX; // browsers turn a wheel with Shift sideways
      this.dispatchEvent(new CustomEvent("size", { detail: (-turned * lines) / NOTCH }));
      return;
    }
    const strength = event.ctrlKey ? 6 : 1;
    const { x, y } = this._local(event);
    this.camera.zoom(Math.exp(-event.deltaY * lines * strength * WHEEL), x, y);
    this.moved();
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    const step = steps[/** @type {keyof typeof steps} */ (event.key)];
    if (!step || event.ctrlKey || event.metaKey) return;
    this.camera.pan(step[0] * KEY_STEP, step[1] * KEY_STEP);
    this.moved();
    event.preventDefault();
  }

  /**
   * @param {KeyboardEvent | null} event
   * @param {boolean} held
   */
  _space(event, held) {
    if (event && event.code !== "Space") return;
    // Over the image, Space moves it and presses no button that was clicked before.
    const idle = [this.canvas, document.body].some((one) => one === document.activeElement);
    if (event && !isText(document.activeElement) && (idle || this.hover)) event.preventDefault();
    this.spaceHeld = held;
    this._showCursor();
  }

  _showCursor() {
    const panning = this.gesture === "pan" || this.gesture === "pinch";
    const ready = this.spaceHeld || !this.tool.down;
    this.canvas.style.cursor = panning ? "grabbing" : ready ? "grab" : this.tool.cursor;
  }

  /** @param {[number, number] | null} at */
  _hoverAt(at) {
    this.hover = at;
    this.dispatchEvent(new CustomEvent("hover", { detail: at }));
    this._schedule();
  }

  /**
   * @param {MouseEvent} event
   * @returns {{x: number, y: number}}
   */
  _local(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  _at(event) {
    const { x, y } = this._local(event);
    return this.camera.toImage(x, y);
  }
}

/**
 * @param {Box} a
 * @param {Box} b
 * @returns {Box} the smallest that holds both
 */
export function around(a, b) {
  return {
    top: Math.min(a.top, b.top), left: Math.min(a.left, b.left),
    bottom: Math.max(a.bottom, b.bottom), right: Math.max(a.right, b.right),
  };
}

/** @param {Element | null} element */
function isText(element) {
  return element instanceof HTMLInputElement && ["text", "number", "search"].includes(element.type);
}
