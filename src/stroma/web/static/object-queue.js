// Images one after the other: this one is accepted, or skipped, and the next that is to be done is shown.

import { el } from "./dom.js";
import { notice } from "./notices.js";

/** @typedef {import("./app.js").App} App */

/**
 * Say that an image is done with, and go to the next one that is not.
 * @param {App} app
 * @param {"accepted" | "skipped"} mark
 */
export function doneWith(app, mark) {
  const images = app.state?.images ?? [];
  const at = images.findIndex((one) => one.key === app.image);
  if (at < 0) return;
  app.ask("mark-image", { image: app.image, mark });
  const next = [...images.slice(at + 1), ...images.slice(0, at)].find((one) => !one.mark);
  if (next) app.goTo(next.key);
  else notice("No other image is left to do. All images (I) shows which were accepted or skipped.");
}

/**
 * @param {App} app
 * @returns {HTMLElement} how far the work on the images is, and what goes on with it
 */
export function queueRow(app) {
  const said = el("p", { class: "note", id: "queue-note", role: "status" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    el("button", { type: "button", id, text, title, onclick });
  const accept = button("accept-image", "Accept image (N)", "Its objects are right; shows the next image that is to be done. What is not committed is dropped", () => doneWith(app, "accepted"));
  const skip = button("skip-image", "Skip image (Shift+N)", "Leaves it out; shows the next image that is to be done", () => doneWith(app, "skipped"));
  const again = button("edit-image", "To do again", "Takes it up among the images that are to be done", () => app.ask("mark-image", { image: app.image, mark: "" }));
  const made = el("div", {}, said, el("div", { class: "buttons" }, accept, skip, again));
  app.addEventListener("change", () => {
    const images = app.state?.images ?? [];
    const mark = app.current?.mark ?? "";
    made.hidden = images.length < 2;
    again.hidden = !mark;
    said.textContent = words(images, mark);
  });
  return made;
}

/**
 * @param {{mark: string}[]} images
 * @param {string} mark of the one that is shown
 */
function words(images, mark) {
  const count = (/** @type {string} */ one) => images.filter((image) => image.mark === one).length;
  const skipped = count("skipped");
  const more = skipped ? `, ${skipped} skipped` : "";
  const here = mark ? ` This one is ${mark}.` : "";
  return `${count("accepted")} of ${images.length} images accepted${more}.${here}`;
}
