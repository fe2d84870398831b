// Labels to pictures: filled, as outlines, or hatched, in the colours of the classes.

/** @typedef {import("./types.js").Class} Class */

/** @typedef {"filled" | "outlines" | "hatched"} Style */

/**
 * How labels are drawn.
 * @typedef {object} Look
 * @property {Style} style
 * @property {(Class & {alpha: number})[]} classes those that are shown, and how opaque
 * @property {number} times pixels of the picture per label, along each axis
 */

/** Labels of a tile, row by row. */
export class Labels {
  /**
   * @param {Uint8Array | Uint16Array} values
   * @param {number} width
   */
  constructor(values, width) {
    this.values = values;
    this.width = width;
    this.height = values.length / width;
  }

  /**
   * @param {ArrayBuffer} bytes
   * @param {number} height
   * @param {number} width
   */
  static of(bytes, height, width) {
    const small = bytes.byteLength === height * width;
    return new Labels(small ? new Uint8Array(bytes) : new Uint16Array(bytes), width);
  }

  /**
   * @param {Look} look
   * @returns {OffscreenCanvas}
   */
  drawn({ style, classes, times }) {
    const colours = palette(classes);
    const { width, height } = this;
    const canvas = new OffscreenCanvas(width * times, height * times);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    if (style === "filled") this._fill(pixels, colours);
    else if (style === "hatched") this._hatch(pixels, colours, times);
    else this._outline(pixels, colours, times);
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /**
   * @param {Uint32Array} pixels
   * @param {Uint32Array} colours
   */
  _fill(pixels, colours) {
    const { values } = this;
    for (let i = 0; i < values.length; i++) pixels[i] = colours[values[i]];
  }

  /**
   * Draw lines of one colour and nothing between them, so that it does not mix with the image.
   * @param {Uint32Array} pixels
   * @param {Uint32Array} colours
   * @param {number} times
   */
  _hatch(pixels, colours, times) {
    const { values, width, height } = this;
    const wide = width * times;
    for (let y = 0; y < height * times; y++) {
      const row = Math.floor(y / times) * width;
      for (let x = 0; x < wide; x++) {
        const label = values[row + Math.floor(x / times)];
        const along = label % 2 ? x + y : x - y;
        if ((along & 7) < 2) pixels[y * wide + x] = colours[label];
      }
    }
  }

  /**
   * Draw the inner side of every border, one pixel wide.
   * @param {Uint32Array} pixels
   * @param {Uint32Array} colours
   * @param {number} times
   */
  _outline(pixels, colours, times) {
    const { values, width, height } = this;
    const wide = width * times;
    const last = times - 1;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        const label = values[i];
        const colour = colours[label];
        if (!colour) continue;
        const at = y * times * wide + x * times;
        if (y > 0 && values[i - width] !== label) line(pixels, at, 1, times, colour);
        if (y < height - 1 && values[i + width] !== label) line(pixels, at + last * wide, 1, times, colour);
        if (x > 0 && values[i - 1] !== label) line(pixels, at, wide, times, colour);
        if (x < width - 1 && values[i + 1] !== label) line(pixels, at + last, wide, times, colour);
      }
    }
  }
}

/**
 * @param {Uint32Array} pixels
 * @param {number} from
 * @param {number} step
 * @param {number} count
 * @param {number} colour
 */
function line(pixels, from, step, count, colour) {
  for (let k = 0; k < count; k++) pixels[from + k * step] = colour;
}

/**
 * Return the colour of every label, as it lies in the memory of a picture; 0 is transparent.
 * @param {(Class & {alpha: number})[]} classes
 */
function palette(classes) {
  const colours = new Uint32Array(65536);
  const bytes = new Uint8Array(colours.buffer);
  for (const { label, color, alpha } of classes) {
    const value = parseInt(color.slice(1), 16);
    bytes.set([value >> 16, (value >> 8) & 255, value & 255, Math.round(255 * alpha)], 4 * label);
  }
  return colours;
}
