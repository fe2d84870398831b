// Numbers of objects to pictures: outlines in any colour, those that are selected filled.

/**
 * How objects are drawn.
 * @typedef {object} ObjectLook
 * @property {number} version counts what changed, so that tiles are drawn anew
 * @property {(number: number) => number} colour of an outline, as it lies in a picture; 0 for none
 * @property {(number: number) => number} fill the same of what is inside
 * @property {number} times pixels of the picture per number, along each axis
 */

/** Numbers of objects in a tile, row by row. */
export class ObjectLabels {
  /**
   * @param {Uint32Array} values
   * @param {number} width
   */
  constructor(values, width) {
    this.values = values;
    this.width = width;
    this.height = values.length / width;
  }

  /**
   * @param {ArrayBuffer} bytes
   * @param {number} _height
   * @param {number} width
   */
  static of(bytes, _height, width) {
    return new ObjectLabels(new Uint32Array(bytes), width);
  }

  /**
   * @param {any} look an `ObjectLook`
   * @returns {OffscreenCanvas}
   */
  drawn(look) {
    const { colour, fill, times } = /** @type {ObjectLook} */ (look);
    const { values, width, height } = this;
    const wide = width * times;
    const canvas = new OffscreenCanvas(wide, height * times);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const image = context.createImageData(wide, height * times);
    const pixels = new Uint32Array(image.data.buffer);
    let [known, line, inside] = [0, 0, 0];
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        const number = values[i];
        if (!number) continue;
        if (number !== known) [known, line, inside] = [number, colour(number), fill(number)];
        if (!line && !inside) continue;
        const at = y * times * wide + x * times;
        if (inside) block(pixels, at, wide, times, inside);
        if (!line) continue;
        for (let k = 0; k < Math.min(2, times); k++) {
          const last = times - 1 - k;
          if (y > 0 && values[i - width] !== number) run(pixels, at + k * wide, 1, times, line);
          if (y < height - 1 && values[i + width] !== number) run(pixels, at + last * wide, 1, times, line);
          if (x > 0 && values[i - 1] !== number) run(pixels, at + k, wide, times, line);
          if (x < width - 1 && values[i + 1] !== number) run(pixels, at + last, wide, times, line);
        }
      }
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }
}

/**
 * @param {Uint32Array} pixels
 * @param {number} from
 * @param {number} step
 * @param {number} count
 * @param {number} colour
 */
function run(pixels, from, step, count, colour) {
  for (let k = 0; k < count; k++) pixels[from + k * step] = colour;
}

/**
 * @param {Uint32Array} pixels
 * @param {number} from
 * @param {number} wide
 * @param {number} side
 * @param {number} colour
 */
function block(pixels, from, wide, side, colour) {
  for (let k = 0; k < side; k++) run(pixels, from + k * wide, 1, side, colour);
}

/**
 * Return a colour as it lies in the memory of a picture.
 * @param {string} color "#rrggbb"
 * @param {number} [alpha] from 0 to 255
 */
export function packed(color, alpha = 255) {
  const value = parseInt(color.slice(1), 16);
  return ((alpha << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
