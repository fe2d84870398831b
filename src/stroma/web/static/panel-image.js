// The panel "Image": channels and contrast, the region of interest, and both for other images.

import { el } from "./dom.js";
import { details, folded, notice } from "./notices.js";
import { pixelSizeGroup } from "./pixel-size.js";
import { length } from "./readout.js";
import { group, rebuild, settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Channel} Channel */

const KEEP_DELAY = 400;
const STEPS = 1000;

/**
 * @param {App} app
 * @param {() => import("./types.js").Box} view returns what is in view
 */
export function imagePanel(app, view) {
  const list = el("ul", { class: "channels" });
  const facts = el("p", { class: "note" });
  const differ = el("div", { class: "note", id: "differ" });
  const keep = settled((/** @type {string} */ image, /** @type {Channel[]} */ channels) => {
    app.ask("display", { image, display: { channels } });
  }, KEEP_DELAY);
  const change = (/** @type {number} */ i, /** @type {Partial<Channel>} */ values) => {
    const channels = (app.channels.get(app.image) ?? []).map((one, j) =>
      i === j ? { ...one, ...values } : one,
    );
    app.channels.set(app.image, channels);
    app.changed();
    keep(app.image, channels);
  };
  const use = async (/** @type {number} */ i, /** @type {boolean} */ on) => {
    if (!(await useChannel(app, i, on))) app.changed(); // the box shows what is in use
  };
  app.addEventListener("change", () => {
    const channels = app.channels.get(app.image);
    const image = app.current;
    const mixed = app.state?.mixed ?? "";
    const [said, more] = folded(mixed);
    rebuild(differ, mixed, () => (mixed ? [el("p", { text: said }), details(more)] : []));
    const outer = Object.entries(image?.outer ?? {}).map(([axis, size]) => `${size} ${axis}, `);
    const size = image ? `${outer.join("")}${image.height} × ${image.width} pixels` : "";
    facts.textContent = [size, pixelWords(image?.pixel ?? null), ...(image?.notes ?? [])].join("\n");
    const shape = channels?.map(({ name, minimum, maximum }) => [name, minimum, maximum]);
    rebuild(list, [app.image, shape], () => (channels ?? []).map((one, i) => row(one, i, { change, use, automatic })));
    channels?.forEach((one, i) => showRow(list.children[i], one));
    for (const [i, row] of [...list.children].entries()) showUse(app, row, i);
  });
  const automatic = async (/** @type {number} */ only = -1) => {
    const image = app.image;
    /** @type {Channel[] | undefined} */
    const found = await app.ask("channels", { image });
    if (!found) return;
    const now = app.channels.get(image) ?? found;
    const channels = now.map((one, i) => {
      const { low, high } = found[i];
      return only < 0 ? found[i] : i === only ? { ...one, low, high } : one;
    });
    app.channels.set(image, channels);
    app.changed();
    keep(image, channels);
  };
  return el(
    "div",
    { class: "panel" },
    group(
      "Channels and contrast",
      differ,
      list,
      el("button", {
        type: "button", text: "Automatic contrast", onclick: () => automatic(),
        title: "From the 1st to the 99th percentile of each channel",
      }),
    ),
    regionGroup(app, view),
    pixelSizeGroup(app),
    copyGroup(app),
    group("About", facts),
  );
}

/**
 * @param {App} app
 * @param {() => import("./types.js").Box} view
 */
function regionGroup(app, view) {
  const set = (/** @type {object | null} */ box) => app.ask("region", { image: app.image, box });
  const note = el("p", { class: "note" });
  const lift = el("button", { type: "button", text: "Whole image", onclick: () => set(null) });
  app.addEventListener("change", () => {
    const box = app.current?.region;
    lift.disabled = !box;
    note.textContent = box
      ? `Rows ${box.top} to ${box.bottom}, columns ${box.left} to ${box.right}`
      : "Results are computed everywhere.";
  });
  const use = el("button", {
    type: "button", id: "region", text: "What is in view", onclick: () => set(view()),
    title: "Compute and measure results only there; exports are of the whole image",
  });
  return group("Region of interest", el("div", { class: "buttons" }, use, lift), note);
}

/** @param {App} app */
function copyGroup(app) {
  const alike = () =>
    (app.state?.images ?? []).filter(
      ({ key, channels }) => key !== app.image && channels === app.current?.channels,
    );
  const copy = async () => {
    const [image, targets] = [app.image, alike().map((one) => one.key)];
    const channels = app.channels.get(image);
    if (channels) await app.ask("display", { image, display: { channels } });
    const done = await app.ask("copy-settings", { image, targets });
    if (done) notice(`Done for ${done} other ${done === 1 ? "image" : "images"}.`, "good");
  };
  const run = el("button", {
    type: "button", id: "copy-settings", text: "Use for the other images", onclick: copy,
    title: "Colours, contrast and region, for all images with as many channels",
  });
  const note = el("p", { class: "note", text: "Colours, contrast and region as they are here." });
  const made = group("Other images", run, note);
  app.addEventListener("change", () => {
    made.hidden = (app.state?.images.length ?? 0) < 2;
    run.disabled = !alike().length;
  });
  return made;
}

/**
 * @param {Channel} one
 * @param {number} i
 * @param {object} actions
 * @param {(i: number, values: Partial<Channel>) => void} actions.change
 * @param {(i: number, on: boolean) => void} actions.use
 * @param {(i: number) => void} actions.automatic
 */
function row({ name, minimum, maximum }, i, { change, use, automatic }) {
  const step = (maximum - minimum) / STEPS || 1;
  const of = (/** @type {Event} */ event) => /** @type {HTMLInputElement} */ (event.target);
  const level = (/** @type {"low" | "high"} */ which, /** @type {string} */ title) => [
    el("span", { class: "quiet small", text: title }),
    el("input", {
      type: "range", min: minimum, max: maximum, step, "data-part": which,
      "aria-label": `${title} of ${name}`,
      oninput: (/** @type {Event} */ event) => change(i, { [which]: Number(of(event).value) }),
    }),
    el("output", { class: "quiet small", "data-part": `${which}-text` }),
  ];
  return el(
    "li",
    { class: "channel" },
    el("input", {
      type: "checkbox", "data-part": "on", "aria-label": `Show ${name}`,
      onchange: (/** @type {Event} */ event) => change(i, { on: of(event).checked }),
    }),
    el("input", {
      type: "color", "data-part": "color", "aria-label": `Colour of ${name}`,
      onchange: (/** @type {Event} */ event) => change(i, { color: of(event).value }),
    }),
    el("span", { text: name }),
    el(
      "label",
      { class: "use quiet small", "data-part": "use-label" },
      el("input", {
        type: "checkbox", "data-part": "use", "aria-label": `Use ${name} for training`,
        onchange: (/** @type {Event} */ event) => use(i, of(event).checked),
      }),
      "train",
    ),
    el(
      "div",
      { class: "levels" },
      el("canvas", { class: "histogram", width: 256, height: 34, "data-part": "histogram", "aria-hidden": "true" }),
      ...level("low", "Black"),
      ...level("high", "White"),
    ),
    el("button", {
      class: "flat wide small auto", type: "button", text: "Auto", onclick: () => automatic(i),
      "aria-label": `Automatic contrast of ${name}`, title: "From the 1st to the 99th percentile",
    }),
  );
}

/**
 * @param {Element} shown
 * @param {Channel} one
 */
function showRow(shown, one) {
  const part = (/** @type {string} */ name) =>
    /** @type {HTMLInputElement} */ (shown.querySelector(`[data-part="${name}"]`));
  part("on").checked = one.on;
  part("color").value = one.color;
  for (const which of /** @type {const} */ (["low", "high"])) {
    part(which).value = String(one[which]);
    part(`${which}-text`).textContent = Number(one[which].toPrecision(4)).toString();
  }
  drawHistogram(/** @type {HTMLCanvasElement} */ (shown.querySelector(".histogram")), one);
}

/**
 * Draw how frequent values are; those that are shown black or at full brightness are dimmed.
 * @param {HTMLCanvasElement} canvas
 * @param {Channel} channel
 */
function drawHistogram(canvas, { histogram = [], low, high, minimum, maximum }) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { width, height } = canvas;
  const style = getComputedStyle(canvas);
  canvas.hidden = !histogram.length;
  context.clearRect(0, 0, width, height);
  const step = width / histogram.length;
  const at = (/** @type {number} */ value) => ((value - minimum) / (maximum - minimum || 1)) * width;
  const [from, to] = [at(low), at(high)];
  context.fillStyle = style.getPropertyValue("--quiet");
  histogram.forEach((percent, k) => {
    const x = k * step;
    context.globalAlpha = x + step < from || x > to ? 0.3 : 0.85;
    context.fillRect(x, height - (percent / 100) * height, step - 0.5, (percent / 100) * height);
  });
  context.globalAlpha = 1;
  context.fillStyle = style.getPropertyValue("--accent");
  for (const x of [from, to]) context.fillRect(Math.min(width - 2, Math.max(0, x - 1)), 0, 2, height);
}

/** @param {[number, number] | null} pixel */
function pixelWords(pixel) {
  if (!pixel) return "The size of a pixel is not known.";
  const [y, x] = pixel.map(length);
  return y === x ? `A pixel is ${y} wide.` : `A pixel is ${y} high and ${x} wide.`;
}

/**
 * Let the model learn from a channel or not.
 * @param {App} app
 * @param {number} i
 * @param {boolean} on
 * @returns {Promise<boolean>} whether that was done
 */
async function useChannel(app, i, on) {
  const all = [...Array(app.current?.channels ?? 0).keys()];
  const chosen = all.filter((one) => (one === i ? on : isUsed(app, one)));
  if (chosen.length) {
    const channels = chosen.length < all.length ? chosen : null;
    return (await app.ask("use-channels", { channels })) !== undefined;
  }
  notice("The model needs at least one channel. Tick another one first.");
  return false;
}

/**
 * @param {App} app
 * @param {number} i
 */
function isUsed(app, i) {
  return app.state?.channels?.includes(i) ?? true;
}

/**
 * Show whether the model learns from a channel.
 * @param {App} app
 * @param {Element} shown
 * @param {number} i
 */
function showUse(app, shown, i) {
  const input = /** @type {HTMLInputElement} */ (shown.querySelector('[data-part="use"]'));
  const label = /** @type {HTMLElement} */ (shown.querySelector('[data-part="use-label"]'));
  const { channels = 1, rgb = false } = app.current ?? {};
  label.hidden = channels < 2;
  input.checked = isUsed(app, i);
  input.disabled = rgb && !app.state?.channels;
  label.title = rgb ? "Colours belong together" : "Use for training, on all images";
}
