// A layer of tiles: what is loaded is drawn, what is missing or out of date is fetched.

import { Labels } from "./labels.js";

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./labels.js").Look} Look */

export const SIDE = 512;
const KEPT = 160;
const AT_ONCE = 6;
const RETRY_AFTER = 2000;

/**
 * Labels that can be drawn.
 * @typedef {{width: number, drawn: (look: Look) => OffscreenCanvas}} Drawable
 */

/**
 * @typedef {object} Tile
 * @property {number} factor
 * @property {number} row
 * @property {number} column
 * @property {ImageBitmap | OffscreenCanvas | null} bitmap what is shown, perhaps from before the last change
 * @property {Drawable | null} labels what it is drawn from, in layers of labels
 * @property {string} look how they were drawn
 * @property {string} source the address the bitmap came from
 * @property {boolean} empty whether there is nothing to show here
 * @property {boolean} stale whether newer content is known to exist
 * @property {AbortController | null} loading
 * @property {number} used
 */

/** Tiles of one kind: the image, the strokes, or a result. */
export class Layer {
  /**
   * @param {object} options
   * @param {(factor: number, row: number, column: number) => string | null} options.address
   *   where a tile is; null where there is none to show
   * @param {() => void} options.changed called when there is something new to draw
   * @param {(text: string) => void} options.failed called with the reason; with "" when one came
   * @param {boolean} [options.smooth] whether pixels are smoothed when shown reduced
   * @param {(bytes: ArrayBuffer, height: number, width: number) => Drawable} [options.read] makes of
   *   labels what can be drawn
   */
  constructor({ address, changed, failed, smooth = false, read = Labels.of }) {
    this.read = read;
    /** @type {() => Omit<Look, "times">} how labels are drawn, in layers of labels */
    this.look = () => ({ style: "filled", classes: [] });
    this.address = address;
    this.changed = changed;
    this.failed = failed;
    this.smooth = smooth;
    this.opacity = 1;
    this.visible = true;
    /** @type {Map<string, Tile>} */
    this.tiles = new Map();
    /** @type {Set<Tile>} those that could not be had */
    this.broken = new Set();
    this.clock = 0;
  }

  /** Forget everything: another image is shown. */
  clear() {
    for (const tile of this.tiles.values()) {
      tile.loading?.abort();
      release(tile);
    }
    this.tiles.clear();
    if (this.broken.size) this.failed("");
    this.broken.clear();
    this.changed();
  }

  /**
   * Note that what is in a box has changed; it is drawn as it was until the new tiles are here.
   * @param {Box | null} box null for everything
   */
  invalidate(box) {
    for (const tile of this.tiles.values()) {
      if (!box || touches(tile, box)) tile.stale = true;
    }
    this.changed();
  }

  /** @returns {boolean} whether something in view is still on its way */
  get busy() {
    return [...this.tiles.values()].some((tile) => tile.loading);
  }

  /**
   * Draw what is in view, and fetch what is missing.
   * @param {CanvasRenderingContext2D} context
   * @param {Camera} camera
   * @param {number} density pixels of the canvas per pixel of the screen
   */
  draw(context, camera, density) {
    if (!this.visible || this.opacity === 0) return;
    const factor = factorFor(camera.scale * density);
    const wanted = inView(camera, factor).map(([row, column]) => this._tile(factor, row, column));
    this._fetch(wanted); // first: what is not to be shown any more is not drawn once again
    this._restyle(wanted, camera.scale * density);
    context.globalAlpha = this.opacity;
    context.imageSmoothingEnabled = this.smooth && camera.scale * density < 2;
    for (const tile of wanted) {
      if (tile.bitmap) place(context, camera, tile);
      else if (!tile.empty) this._drawInstead(context, camera, tile);
    }
    context.globalAlpha = 1;
    this._forget();
  }

  /**
   * @param {number} factor
   * @param {number} row
   * @param {number} column
   * @returns {Tile}
   */
  _tile(factor, row, column) {
    const key = `${factor}/${row}/${column}`;
    let tile = this.tiles.get(key);
    if (!tile) {
      tile = {
        factor, row, column, bitmap: null, labels: null, look: "", source: "", empty: false, stale: true,
        loading: null, used: 0,
      };
      this.tiles.set(key, tile);
    }
    tile.used = ++this.clock;
    return tile;
  }

  /**
   * Draw the coarser tile that covers a missing one, cut to it.
   * @param {CanvasRenderingContext2D} context
   * @param {Camera} camera
   * @param {Tile} missing
   */
  _drawInstead(context, camera, missing) {
    for (let steps = 1; steps <= 6; steps++) {
      const factor = missing.factor * 2 ** steps;
      const row = missing.row >> steps;
      const column = missing.column >> steps;
      const tile = this.tiles.get(`${factor}/${row}/${column}`);
      if (!tile?.bitmap) continue;
      const box = covered(missing);
      const [x0, y0] = camera.toScreen(box.top, box.left);
      const [x1, y1] = camera.toScreen(box.bottom, box.right);
      context.save();
      context.beginPath();
      context.rect(x0, y0, x1 - x0, y1 - y0);
      context.clip();
      place(context, camera, tile);
      context.restore();
      return;
    }
  }

  /** @param {Tile[]} wanted */
  _fetch(wanted) {
    const needed = new Set(wanted);
    let running = 0;
    for (const tile of this.tiles.values()) {
      if (tile.loading && !needed.has(tile)) tile.loading.abort();
      else if (tile.loading) running++;
    }
    for (const tile of wanted) {
      const source = this.address(tile.factor, tile.row, tile.column);
      if (source === null) {
        release(tile);
        tile.empty = true;
        tile.source = "";
      } else if (!tile.loading && (tile.stale || tile.source !== source) && running < AT_ONCE) {
        running++;
        this._load(tile, source);
      }
    }
  }

  /**
   * @param {Tile} tile
   * @param {string} source
   */
  async _load(tile, source) {
    const control = new AbortController();
    tile.loading = control;
    tile.stale = false;
    try {
      const answer = await fetch(source, { signal: control.signal });
      if (!answer.ok) throw new Error(await answer.text());
      await this._take(tile, answer);
      if (this.broken.delete(tile) && !this.broken.size) this.failed("");
      tile.source = source;
      tile.loading = null;
    } catch (error) {
      tile.stale = true;
      if (control.signal.aborted) tile.loading = null;
      else this._tryAgainLater(tile, error);
    }
    this.changed();
  }

  /**
   * @param {Tile} tile
   * @param {Response} answer
   */
  async _take(tile, answer) {
    const isLabels = answer.headers.get("content-type") === "application/octet-stream";
    const [height, width] = (answer.headers.get("x-shape") ?? "0 0").split(" ").map(Number);
    const bytes = isLabels ? await answer.arrayBuffer() : null;
    const bitmap = bytes || answer.status === 204 ? null : await createImageBitmap(await answer.blob());
    if (bytes && tile.labels) tile.look = ""; // the old picture stays until the new one is drawn
    else release(tile);
    if (bytes) tile.labels = this.read(bytes, height, width);
    else tile.bitmap = bitmap;
    tile.empty = !bytes && !bitmap;
  }

  /**
   * Draw labels anew where colours or style have changed; finer lines where pixels are large.
   * @param {Tile[]} tiles
   * @param {number} scale pixels of the canvas per pixel of the image
   */
  _restyle(tiles, scale) {
    const look = this.look();
    const times = look.style === "filled" ? 1 : scale >= 4 ? 4 : scale >= 2 ? 2 : 1;
    const now = JSON.stringify([look, times]);
    for (const tile of tiles) {
      if (!tile.labels || tile.look === now) continue;
      tile.bitmap = tile.labels.drawn({ ...look, times });
      tile.look = now;
    }
  }

  /**
   * Keep a tile that failed from being asked for again at once.
   * @param {Tile} tile
   * @param {unknown} error
   */
  _tryAgainLater(tile, error) {
    this.broken.add(tile);
    this.failed(error instanceof Error ? error.message : String(error));
    setTimeout(() => {
      tile.loading = null;
      this.changed();
    }, RETRY_AFTER);
  }

  /** Drop the tiles that were not drawn for longest. */
  _forget() {
    if (this.tiles.size <= KEPT) return;
    const oldest = [...this.tiles.entries()].sort(([, a], [, b]) => a.used - b.used);
    for (const [key, tile] of oldest.slice(0, this.tiles.size - KEPT)) {
      tile.loading?.abort();
      release(tile);
      this.tiles.delete(key);
    }
  }
}

/** @param {Tile} tile */
function release(tile) {
  if (tile.bitmap instanceof ImageBitmap) tile.bitmap.close();
  tile.bitmap = tile.labels = null;
  tile.look = "";
}

/**
 * Return how many pixels of the image a pixel of a tile stands for.
 * @param {number} scale pixels of the canvas per pixel of the image
 */
export function factorFor(scale) {
  return 2 ** Math.min(10, Math.max(0, Math.floor(Math.log2(1 / scale) + 0.3)));
}

/**
 * Return row and column of the tiles in view, those in the middle first.
 * @param {Camera} camera
 * @param {number} factor
 * @returns {[number, number][]}
 */
function inView(camera, factor) {
  const box = camera.view();
  const side = SIDE * factor;
  /** @type {[number, number][]} */
  const found = [];
  for (let row = Math.floor(box.top / side); row * side < box.bottom; row++) {
    for (let column = Math.floor(box.left / side); column * side < box.right; column++) {
      found.push([row, column]);
    }
  }
  const far = (/** @type {[number, number]} */ [row, column]) =>
    Math.hypot((row + 0.5) * side - camera.y, (column + 0.5) * side - camera.x);
  return found.sort((a, b) => far(a) - far(b));
}

/**
 * @param {Tile} tile
 * @returns {Box}
 */
function covered(tile) {
  const side = SIDE * tile.factor;
  return {
    top: tile.row * side,
    left: tile.column * side,
    bottom: (tile.row + 1) * side,
    right: (tile.column + 1) * side,
  };
}

/**
 * @param {Tile} tile
 * @param {Box} box
 */
function touches(tile, box) {
  const own = covered(tile);
  return (
    own.top < box.bottom && box.top < own.bottom && own.left < box.right && box.left < own.right
  );
}

/**
 * Draw a tile where it belongs, its edges on whole pixels so that neighbours leave no gap.
 * @param {CanvasRenderingContext2D} context
 * @param {Camera} camera
 * @param {Tile} tile
 */
function place(context, camera, tile) {
  const bitmap = /** @type {ImageBitmap | OffscreenCanvas} */ (tile.bitmap);
  const step = tile.labels ? (tile.factor * tile.labels.width) / bitmap.width : tile.factor;
  const { top, left } = covered(tile);
  const [x0, y0] = camera.toScreen(top, left);
  const [x1, y1] = camera.toScreen(
    top + bitmap.height * step,
    left + bitmap.width * step,
  );
  const density = context.getTransform().a;
  const snap = (/** @type {number} */ v) => Math.round(v * density) / density;
  const [sx, sy] = [snap(x0), snap(y0)];
  context.drawImage(bitmap, sx, sy, snap(x1) - sx, snap(y1) - sy);
}
