// The mask of a proposed object: from bits to a tint and an outline.

/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./viewer.js").Viewer} Viewer */

/** A mask that can be drawn wherever the camera looks from. */
export class Mask {
  /**
   * @param {Box} box
   * @param {string} bits row after row, eight to a byte, in base64
   */
  constructor(box, bits) {
    this.box = box;
    this.width = box.right - box.left;
    this.height = box.bottom - box.top;
    this.values = unpacked(bits, this.width * this.height);
    this.outline = outline(this.values, this.width, this.height);
    this.tint = tint(this.values, this.width, this.height);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Viewer} viewer
   * @param {boolean} waits whether it is committed, and only waits to be seen as an object
   */
  draw(context, { camera }, waits) {
    const [x, y] = camera.toScreen(this.box.top, this.box.left);
    const edges = new Path2D();
    edges.addPath(this.outline, new DOMMatrix([camera.scale, 0, 0, camera.scaleY, x, y]));
    context.save();
    context.imageSmoothingEnabled = false;
    context.drawImage(this.tint, x, y, this.width * camera.scale, this.height * camera.scaleY);
    context.lineJoin = "round";
    for (const [width, style] of [[4, "rgb(0 0 0 / 60%)"], [2, waits ? "#c8c8c8" : "#ffd23f"]]) {
      context.lineWidth = Number(width);
      context.strokeStyle = String(style);
      context.stroke(edges);
    }
    context.restore();
  }
}

/**
 * @param {string} bits
 * @param {number} count
 */
function unpacked(bits, count) {
  const bytes = atob(bits);
  const values = new Uint8Array(count);
  for (let i = 0; i < count; i++) values[i] = (bytes.charCodeAt(i >> 3) >> (7 - (i & 7))) & 1;
  return values;
}

/**
 * Return the lines between pixels that belong to it and those that do not.
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 */
function outline(values, width, height) {
  const path = new Path2D();
  const at = (/** @type {number} */ y, /** @type {number} */ x) =>
    y >= 0 && x >= 0 && y < height && x < width ? values[y * width + x] : 0;
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(y, x) !== at(y - 1, x)) segment(path, x, y, x + 1, y);
      if (at(y, x) !== at(y, x - 1)) segment(path, x, y, x, y + 1);
    }
  }
  return path;
}

/**
 * @param {Path2D} path
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 */
function segment(path, x0, y0, x1, y1) {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
}

/**
 * @param {Uint8Array} values
 * @param {number} width
 * @param {number} height
 */
function tint(values, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < values.length; i++) if (values[i]) pixels[i] = 0x593fd2ff;
  context.putImageData(image, 0, 0);
  return canvas;
}
