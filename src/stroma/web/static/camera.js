// Where the viewer looks: from pixels of the image to pixels of the screen.

const CLOSEST = 40;

/** How close the page goes by itself, however small what it shows is: pixels of the image are not yet blocks. */
const CLOSE = 4;

/** A camera above a plane. Positions are [y, x] in pixels of the image. */
export class Camera {
  constructor() {
    this.y = 0;
    this.x = 0;
    /** Pixels of the screen per pixel of the image. */
    this.scale = 1;
    this.width = 1;
    this.height = 1;
    /** Height of a pixel of the image, in its widths. */
    this.stretch = 1;
    this.planeHeight = 1;
    this.planeWidth = 1;
  }

  /** Pixels of the screen per row of the image. */
  get scaleY() {
    return this.scale * this.stretch;
  }

  /** Show the whole plane. */
  fit() {
    this.scale = this._whole() * 0.96;
    this.y = this.planeHeight / 2;
    this.x = this.planeWidth / 2;
  }

  /** @returns {boolean} whether the whole plane is shown, as `fit` shows it */
  get isFit() {
    const { y, x, planeHeight, planeWidth } = this;
    return this.scale === this._whole() * 0.96 && y === planeHeight / 2 && x === planeWidth / 2;
  }

  /**
   * Zoom by a factor, keeping what is under a point of the screen where it is.
   * @param {number} factor
   * @param {number} screenX
   * @param {number} screenY
   */
  zoom(factor, screenX, screenY) {
    const [y, x] = this.toImage(screenX, screenY);
    const widest = this._whole() / 4;
    this.scale = Math.min(Math.max(this.scale * factor, widest), CLOSEST);
    const [y2, x2] = this.toImage(screenX, screenY);
    this.y += y - y2;
    this.x += x - x2;
    this._keepInSight();
  }

  /**
   * Move by pixels of the screen.
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scaleY;
    this._keepInSight();
  }

  /**
   * Bring a box of the image into the middle of the view, large enough to paint in, and with so much
   * around it that one sees where it is; what is tiny comes no closer than `CLOSE`, or than one is.
   * At the edge of the image, the view is moved inwards rather than to show empty ground, but for
   * what is needed to bring the box out from under what lies over the view.
   * @param {import("./types.js").Box} box
   * @param {{above?: number, below?: number}} [covered] pixels of the screen at the top and the bottom
   */
  show(box, { above = 0, below = 0 } = {}) {
    const fits = Math.min(
      this.width / (box.right - box.left),
      this.height / (box.bottom - box.top) / this.stretch,
    );
    this.scale = Math.min(Math.max(Math.min(fits / 8, CLOSE), this.scale), fits / 4, CLOSEST);
    this.y = inwards((box.top + box.bottom) / 2, this.planeHeight, this.height / this.scaleY);
    this.x = inwards((box.left + box.right) / 2, this.planeWidth, this.width / this.scale);
    const top = this.toScreen(box.top, 0)[1];
    const bottom = this.toScreen(box.bottom, 0)[1];
    const down = Math.max(0, Math.min(above, this.height / 2) - top) || Math.min(0, this.height - below - bottom);
    this.y -= down / this.scaleY;
  }

  /**
   * @param {number} screenX
   * @param {number} screenY
   * @returns {[number, number]} y and x in the image
   */
  toImage(screenX, screenY) {
    return [
      (screenY - this.height / 2) / this.scaleY + this.y,
      (screenX - this.width / 2) / this.scale + this.x,
    ];
  }

  /**
   * @param {number} y
   * @param {number} x
   * @returns {[number, number]} x and y on the screen
   */
  toScreen(y, x) {
    return [
      (x - this.x) * this.scale + this.width / 2,
      (y - this.y) * this.scaleY + this.height / 2,
    ];
  }

  /** @returns {import("./types.js").Box} the pixels of the plane in view; may be empty */
  view() {
    const [top, left] = this.toImage(0, 0);
    const [bottom, right] = this.toImage(this.width, this.height);
    return {
      top: Math.max(0, Math.floor(top)),
      left: Math.max(0, Math.floor(left)),
      bottom: Math.min(this.planeHeight, Math.ceil(bottom)),
      right: Math.min(this.planeWidth, Math.ceil(right)),
    };
  }

  /** @returns {number} the scale at which the whole plane just fits */
  _whole() {
    return Math.min(this.width / this.planeWidth, this.height / this.planeHeight / this.stretch);
  }

  _keepInSight() {
    this.y = Math.min(Math.max(this.y, 0), this.planeHeight);
    this.x = Math.min(Math.max(this.x, 0), this.planeWidth);
  }
}

/**
 * @param {number} at where the middle of the view is wanted
 * @param {number} size of the plane
 * @param {number} seen how much of it fits into the view
 * @returns {number} the nearest middle with which nothing beyond the plane is seen, or least
 */
function inwards(at, size, seen) {
  return seen >= size ? size / 2 : Math.min(Math.max(at, seen / 2), size - seen / 2);
}
