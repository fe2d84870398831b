// Closing an image: its strokes go with it, so the user is told how many, and asked.

import { confirmed } from "./dialog.js";

/** @typedef {import("./app.js").App} App */

/**
 * Close the image that is shown, if the user agrees.
 * @param {App} app
 */
export async function closeImage(app) {
  const image = app.current;
  if (!image) return;
  const painted = await app.ask("painted", { image: image.key });
  if (!painted) return;
  const agreed = await confirmed(`Close ${image.name}?`, {
    lines: [lost(app, painted), "The image file itself stays where it is."],
    yes: "Close image",
  });
  if (agreed) await app.ask("close-image", { image: image.key });
}

/**
 * Say what is lost with an image.
 * @param {App} app
 * @param {{pixels: number, planes: number, labels: number[]}} painted
 */
function lost(app, { pixels, planes, labels }) {
  if (!pixels) return "Nothing is painted on it.";
  const names = labels.map((label) => app.state?.classes.find((one) => one.label === label)?.name ?? label);
  const where = planes > 1 ? ` on ${planes} planes` : "";
  return (
    `Its strokes are lost: ${pixels.toLocaleString("en")} painted pixels${where} (${names.join(", ")}). ` +
    "This cannot be undone; Save strokes, in the panel Results, keeps a copy."
  );
}
