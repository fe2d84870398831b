// The planes of a volume: across z, y and x; their sizes, and where they meet.

/** @typedef {import("./types.js").Img} Img */
/** @typedef {import("./types.js").Box} Box */
/** @typedef {import("./types.js").Plane} Plane */

/** Along which axes rows and columns of a plane are counted, by the axis that it lies across. */
export const AXES = { z: "yx", y: "zx", x: "zy" };

/** What people call the planes. */
export const NAMES = { z: "xy", y: "xz", x: "yz" };

/** @typedef {keyof typeof AXES} Across */

/**
 * A plane as it is shown.
 * @typedef {object} Sheet
 * @property {number} height
 * @property {number} width
 * @property {[number, number] | null} pixel height and width of a pixel in µm
 * @property {number} stretch height of a pixel, in its widths
 * @property {Box | null} region to which results are restricted; may be empty
 */

/**
 * @param {Img} image
 * @returns {Record<string, number>} samples along every axis
 */
export function sizesOf(image) {
  return { ...image.outer, y: image.height, x: image.width };
}

/**
 * @param {Plane} plane
 * @returns {Across}
 */
export function acrossOf(plane) {
  return plane.y !== undefined ? "y" : plane.x !== undefined ? "x" : "z";
}

/**
 * Return the plane across an axis that goes through a place.
 * @param {Img} image
 * @param {Record<string, number>} cross
 * @param {string} across
 * @returns {Plane}
 */
export function planeAt(image, cross, across) {
  const axes = "z" in image.outer ? ["t", across] : ["t"];
  return Object.fromEntries(axes.filter((axis) => axis in cross).map((axis) => [axis, cross[axis]]));
}

/**
 * @param {Img | undefined} image
 * @param {Plane} plane
 * @returns {Sheet}
 */
export function sheetOf(image, plane) {
  if (!image) return { height: 1, width: 1, pixel: null, stretch: 1, region: null };
  const [rows, columns] = AXES[acrossOf(plane)];
  const sizes = sizesOf(image);
  const [high, wide] = [image.pixel?.[0], image.pixel?.[1]];
  const voxel = /** @type {Record<string, number | null | undefined>} */ ({ z: image.deep, y: high, x: wide });
  const [height, width] = [voxel[rows], voxel[columns]];
  return {
    height: sizes[rows],
    width: sizes[columns],
    pixel: height && width ? [height, width] : null,
    stretch: height && width && acrossOf(plane) !== "z" ? height / width : 1,
    region: image.region && regionOn(image.region, image, plane),
  };
}

/**
 * @param {Box} region
 * @param {Img} image
 * @param {Plane} plane
 * @returns {Box}
 */
function regionOn(region, image, plane) {
  const across = acrossOf(plane);
  if (across === "z") return region;
  const { top, bottom, left, right } = region;
  const [low, high, begin, end] = across === "y" ? [top, bottom, left, right] : [left, right, top, bottom];
  const inside = low <= plane[across] && plane[across] < high;
  return { top: 0, bottom: inside ? image.outer.z : 0, left: begin, right: end };
}

/**
 * Return what of a rectangle of a plane lies on another; null for nothing.
 * @param {Plane} shown the plane it is to lie on
 * @param {Plane} plane
 * @param {Box} box
 * @returns {Box | null}
 */
export function met(shown, plane, box) {
  const across = acrossOf(shown);
  if (across === acrossOf(plane)) {
    return Object.entries(shown).every(([axis, at]) => plane[axis] === at) ? box : null;
  }
  if (acrossOf(plane) !== "z" || shown.t !== plane.t) return null;
  const { top, bottom, left, right } = box;
  const [low, high, begin, end] = across === "y" ? [top, bottom, left, right] : [left, right, top, bottom];
  if (across === "z" || shown[across] < low || shown[across] >= high) return null;
  return { top: plane.z, bottom: plane.z + 1, left: begin, right: end };
}
