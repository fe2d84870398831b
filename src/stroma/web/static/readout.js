// Over the image: what is under the cursor, a scale bar, and what the colours of a result mean.

import { byId, el, fill } from "./dom.js";
import { AXES, acrossOf } from "./slices.js";
import { settled } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./viewer.js").Viewer} Viewer */

const AFTER = 90;
const LONGEST = 140;
const UNSURE = "linear-gradient(90deg, transparent, rgb(61 38 107 / 47%), rgb(214 86 84 / 78%), rgb(255 224 130))";

/**
 * @typedef {object} Read
 * @property {(number | null)[]} values
 * @property {number} label
 * @property {number | null} probability
 * @property {number | null} uncertainty
 */

/**
 * @param {App} app
 * @param {Viewer} viewer
 */
export function showReadout(app, viewer) {
  let shown = "";
  let known = "";
  const ask = settled(async (/** @type {[number, number]} */ at) => {
    const about = shown;
    if (!app.connected || !app.current || app.current.missing) return;
    const [y, x] = at;
    /** @type {Read | undefined} */
    const found = await app.ask("readout", { image: app.image, plane: app.plane, y, x });
    if (!found || about !== shown) return;
    known = about;
    byId("where").textContent = [place(app, at), ...words(app, found)].join("   ");
  }, AFTER);
  const show = () => {
    const at = pixel(app, viewer);
    const now = at ? JSON.stringify([app.image, app.plane, app.standing?.tag, at]) : "";
    if (now === shown && now === known) return;
    shown = now;
    byId("where").textContent = at ? place(app, at) : "";
    if (at) ask(at);
  };
  for (const event of ["view", "hover"]) viewer.addEventListener(event, show);
  viewer.addEventListener("view", () => showScale(app, viewer));
  app.addEventListener("change", () => {
    showScale(app, viewer);
    showLegend(app);
  });
}

/**
 * Return row and column of the pixel under the cursor; null where there is none.
 * @param {App} app
 * @param {Viewer} viewer
 * @returns {[number, number] | null}
 */
function pixel(app, viewer) {
  const { height, width } = app.sheet;
  const at = viewer.hover;
  if (!app.current || !at) return null;
  const [y, x] = at.map(Math.floor);
  return y >= 0 && x >= 0 && y < height && x < width ? [y, x] : null;
}

/**
 * @param {App} app
 * @param {[number, number]} at
 */
function place(app, [y, x]) {
  const size = app.sheet.pixel;
  const [rows, columns] = AXES[acrossOf(app.plane)];
  const there = size ? `  (${length(y * size[0])}, ${length(x * size[1])})` : "";
  return `${rows} ${y}   ${columns} ${x}${there}`;
}

/**
 * @param {App} app
 * @param {Read} read
 */
function words(app, { values, label, probability }) {
  const names = app.channels.get(app.image)?.map((one) => one.name) ?? [];
  const number = (/** @type {number | null} */ v) => (v === null ? "no value" : String(Number(v.toPrecision(5))));
  const short = (/** @type {number} */ i) => (app.current?.rgb ? "RGB"[i] : (names[i] ?? "").slice(0, 12));
  const said = values.slice(0, 4).map((v, i) => (values.length > 1 ? `${short(i)} ${number(v)}` : number(v)));
  const one = app.state?.classes.find((c) => c.label === label);
  const sure = probability === null ? "" : ` ${Math.round(100 * probability)} %`;
  return one ? [said.join("  "), `${one.name}${sure}`] : [said.join("  ")];
}

/**
 * Say a length in the unit that suits it.
 * @param {number} micrometres
 */
export function length(micrometres) {
  const [value, unit] =
    micrometres >= 1000 ? [micrometres / 1000, "mm"] : micrometres < 1 && micrometres > 0 ? [micrometres * 1000, "nm"] : [micrometres, "µm"];
  return `${Number(value.toPrecision(4))} ${unit}`;
}

/**
 * Show a bar of a round length: in µm where the image knows them, in pixels otherwise.
 * @param {App} app
 * @param {Viewer} viewer
 */
function showScale(app, viewer) {
  const bar = byId("scale");
  bar.hidden = !app.current;
  if (!app.current) return;
  const size = app.sheet.pixel?.[1];
  const most = (LONGEST / viewer.camera.scale) * (size ?? 1);
  const power = 10 ** Math.floor(Math.log10(most));
  const round = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  const wide = (round / (size ?? 1)) * viewer.camera.scale;
  bar.textContent = size ? length(round) : `${Number(round.toPrecision(1))} px`;
  bar.style.setProperty("width", `${Math.max(8, wide)}px`);
}

/** @param {App} app */
function showLegend(app) {
  const legend = byId("legend");
  const { overlay } = app.view;
  legend.hidden = !app.state?.trained || (overlay !== "probability" && overlay !== "uncertainty");
  if (legend.hidden) return;
  const one = app.state?.classes.find((c) => c.label === app.probability);
  const sure = overlay === "uncertainty";
  const ramp = el("span", { class: "ramp" });
  ramp.style.setProperty("background", sure ? UNSURE : `linear-gradient(90deg, transparent, ${one?.color ?? "gray"})`);
  const [low, high] = sure ? ["sure", "unsure"] : [`${one?.name ?? ""}: 0 %`, "100 %"];
  fill(legend, el("span", { text: low }), ramp, el("span", { text: high }));
}
