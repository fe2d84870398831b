// How large a pixel is: as the file says, or as somebody does who knows better.

import { el } from "./dom.js";
import { group } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Img} Img */

const TITLES = { y: "Height", x: "Width", z: "Between planes" };

/**
 * @param {Img | undefined} image
 * @returns {Record<string, number | null>} µm along each axis; null where that is not known
 */
function sizes(image) {
  const [y, x] = image?.pixel ?? [null, null];
  return { y, x, z: image?.deep ?? null };
}

/** @param {App} app */
export function pixelSizeGroup(app) {
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = {};
  const set = () => {
    const image = app.current;
    if (!image) return;
    const typed = Object.fromEntries(
      Object.entries(inputs).filter(([axis]) => axis !== "z" || app.isVolume).map(([axis, input]) => [axis, Number(input.value)]),
    );
    // Pixels are mostly square: who gives the first side means the other as well.
    if (!typed.y) typed.y = typed.x;
    if (!typed.x) typed.x = typed.y;
    if (!typed.z) delete typed.z;
    if (typed.y > 0 && typed.x > 0) app.ask("pixel-size", { image: image.key, size: typed });
    else show();
  };
  const rows = Object.entries(TITLES).map(([axis, title]) => {
    inputs[axis] = el("input", {
      type: "number", min: 0, step: "any", placeholder: "not known", onchange: set, "data-axis": axis,
      onkeydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && inputs[axis].blur(),
    });
    return el("label", { class: "field" }, `${title} (µm)`, inputs[axis]);
  });
  const own = el("button", {
    type: "button", id: "own-size", text: "As the file says",
    onclick: () => app.ask("pixel-size", { image: app.image, size: {} }),
  });
  const note = el("p", { class: "note", text: "Areas, distances and tables are in it. The file itself stays as it is." });
  const show = () => {
    const known = sizes(app.current);
    for (const [axis, input] of Object.entries(inputs)) {
      input.disabled = !app.current || app.current.missing;
      if (document.activeElement !== input) input.value = known[axis] === null ? "" : String(known[axis]);
    }
    rows[2].hidden = !app.isVolume;
    own.hidden = !app.current?.sized;
  };
  app.addEventListener("change", show);
  return group("Size of a pixel", ...rows, own, note);
}
