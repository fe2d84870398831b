// How good the model is: accuracy on strokes it has not seen, features it rests on, other extractors.

import { openDialog, theDialog } from "./dialog.js";
import { el } from "./dom.js";
import { useExtractor } from "./extractors.js";
import { group } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Box} Box */
/** @typedef {[number | null, number | null]} Range */

const WORST = 4;

/**
 * @param {App} app
 * @param {() => Box} view what is seen of the plane
 */
export function qualityGroup(app, view) {
  const shown = el("div", { class: "fields", id: "quality" });
  let busy = false;
  const enable = () => {
    for (const one of buttons) one.disabled = busy || !app.state?.trained;
  };
  const ask = async (
    /** @type {string} */ question,
    /** @type {(found: any) => Node[]} */ show,
    /** @type {Record<string, any>} */ values = {},
  ) => {
    busy = true;
    enable();
    const found = await app.ask(question, values);
    busy = false;
    enable();
    if (!found) return;
    shown.replaceChildren(...show(found));
    shown.scrollIntoView({ block: "nearest" });
  };
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ run) =>
    el("button", { type: "button", text, title, onclick: run });
  const buttons = [
    button("Accuracy", "Trains on four fifths of the strokes, and asks the rest, five times", () =>
      ask("validate", (found) => accuracy(app, found)),
    ),
    button("Features", "Which features the classifier asks most", () => ask("importance", bars)),
    button("Compare extractors", "Accuracy, time and a picture of every configuration that is here, on your strokes. Takes a minute or more", () =>
      ask("compare", (found) => comparison(app, found), { image: app.image, plane: app.plane, box: view() }),
    ),
  ];
  app.addEventListener("change", enable);
  return group("How good it is", el("div", { class: "buttons" }, ...buttons), shown);
}

// ------------------------------------------------------------------ accuracy

/**
 * @typedef {object} Validation
 * @property {number | null} accuracy
 * @property {number[]} labels
 * @property {number[][]} confusion
 * @property {number[]} untested
 * @property {number[]} strokes
 * @property {(number | null)[]} recall
 * @property {Range[]} ranges
 * @property {Range} range
 */

/**
 * Show a cross-validation: the share that is right, that of each class, and what is taken for what.
 * @param {App} app
 * @param {Validation} found
 */
function accuracy(app, { accuracy: share, labels, confusion, untested, strokes, recall, ranges, range: [low, high] }) {
  const name = (/** @type {number} */ label) => nameOf(app, label);
  const wrong = confusion
    .flatMap((row, i) => row.map((count, j) => ({ count, from: labels[i], to: labels[j] })))
    .filter(({ count, from, to }) => count > 0 && from !== to)
    .sort((a, b) => b.count - a.count)
    .slice(0, WORST);
  const rows = labels.map((label, i) => classRow(app, label, { share: recall[i], range: ranges[i], strokes: strokes[i] }));
  return [
    el("p", { class: "large", text: share === null ? "-" : percent(share) }),
    el("p", {
      class: "note",
      text: `of the strokes is recognised by a model that was not shown them. In three of four images we tried, the share of the whole image was in such a range: ${percent(low ?? 0)} to ${percent(high ?? 1)}. Places that no stroke is like are not in it.`,
    }),
    table(["Class", "Right, %", "Range, %", "Strokes"], rows),
    ...untested.map((label) =>
      el("p", { class: "note", text: `${name(label)} has too few separate strokes to tell; paint three or more.` }),
    ),
    ...wrong.map(({ count, from, to }) =>
      el("p", { class: "note", text: `${count} px of ${name(from)} taken for ${name(to)}` }),
    ),
  ];
}

/**
 * @param {App} app
 * @param {number} label
 */
function nameOf(app, label) {
  return app.state?.classes.find((one) => one.label === label)?.name ?? String(label);
}

/**
 * @param {App} app
 * @param {number} label
 * @param {{share: number | null, range: Range, strokes: number}} found
 */
function classRow(app, label, { share, range: [low, high], strokes }) {
  const swatch = el("span", { class: "swatch" });
  swatch.style.setProperty("background", app.colourOf(label));
  const between = low === null || high === null ? "-" : `${whole(low)}–${whole(high)}`;
  return el(
    "tr",
    {},
    el("td", {}, swatch, nameOf(app, label)),
    el("td", { text: share === null ? "-" : whole(share) }),
    el("td", { text: between, title: "Where the share would be, in nine of ten cases, with more such strokes" }),
    el("td", { text: strokes }),
  );
}

/**
 * @param {string[]} heads
 * @param {Node[]} rows
 */
function table(heads, rows) {
  const cells = heads.map((text) => el("th", { text, scope: "col" }));
  return el("table", {}, el("thead", {}, el("tr", {}, ...cells)), el("tbody", {}, ...rows));
}

/** @param {number} share */
function whole(share) {
  return Math.round(100 * share);
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

// ------------------------------------------------------------------ features

/** @param {[string, number][]} found */
function bars(found) {
  const largest = Math.max(...found.map(([, share]) => share), 1e-9);
  const rows = found.flatMap(([name, share]) => [
    el("span", { text: name, title: name }),
    el("progress", { max: largest, value: share, "aria-label": `${name}: ${percent(share)}` }),
  ]);
  return [el("div", { class: "bars" }, ...rows)];
}

// ------------------------------------------------------------------ other extractors

/**
 * @typedef {object} Tried
 * @property {string} alias
 * @property {string} title
 * @property {number | null} accuracy
 * @property {Range} range
 * @property {boolean} tied
 * @property {number | null} training
 * @property {number | null} seconds
 * @property {string} problem
 * @property {string | null} crop
 */

/**
 * Show configurations side by side, in the dialog; what stays in the panel is a way back to it.
 * @param {App} app
 * @param {{crop: string, tried: Tried[]}} found
 */
function comparison(app, found) {
  const open = () => showCompared(app, found);
  open();
  return [el("button", { type: "button", text: "Show the comparison again", onclick: open })];
}

/**
 * @param {App} app
 * @param {{crop: string, tried: Tried[]}} found
 */
async function showCompared(app, { crop, tried }) {
  const could = tried.filter(({ problem }) => !problem);
  const not = tried.filter(({ problem }) => problem);
  /** @type {string[]} */
  const addresses = [];
  const picture = async (/** @type {string} */ png, /** @type {string} */ alt) => {
    const blob = new Blob([Uint8Array.from(atob(png), (c) => c.charCodeAt(0))], { type: "image/png" });
    addresses.push(URL.createObjectURL(blob));
    return el("img", { src: addresses.at(-1), alt });
  };
  const alone = el("li", {}, await picture(crop, "The image alone"), el("strong", { text: "The image" }));
  const cards = await Promise.all(
    could.map(async (one) => card(app, one, one.crop ? await picture(one.crop, `As ${one.title} sees it`) : null)),
  );
  const reasons = not.map(({ alias, problem }) => el("p", { class: "note", text: `${alias}: ${problem}` }));
  const why = el("details", {}, el("summary", { text: `Why ${not.length} could not be tried` }), el("div", {}, ...reasons));
  const note = "The middle of what you look at, as a model trained on your strokes sees it with each extractor. The shares are of strokes it was not shown; “as good” means that your strokes cannot tell it from the best.";
  openDialog("Extractors compared", el("p", { class: "note", text: note }), el("ul", { class: "compared" }, alone, ...cards), ...(not.length ? [why] : []));
  theDialog().classList.add("broad");
  const end = () => {
    theDialog().classList.remove("broad");
    for (const address of addresses) URL.revokeObjectURL(address);
  };
  theDialog().addEventListener("close", end, { once: true });
}

/**
 * @param {App} app
 * @param {Tried} one
 * @param {Node | null} picture
 */
function card(app, { alias, title, accuracy: share, range: [low, high], tied, seconds }, picture) {
  const used = app.state?.alias === alias;
  const between = low === null || high === null ? "" : ` (${whole(low)}–${whole(high)} %)`;
  const good = share === null ? "-" : `${whole(share)} %${between}${tied ? ", as good" : ""}`;
  const slow = seconds === null ? "" : `${seconds.toFixed(1)} s for a million pixels`;
  const use = el("button", {
    type: "button", text: used ? "In use" : "Use this", disabled: used,
    "aria-label": used ? `${title} is in use` : `Use ${title}`,
    onclick: () => {
      theDialog().close();
      useExtractor(app, alias, title);
    },
  });
  return el("li", {}, picture, el("strong", { text: title }), el("span", { text: good }), el("span", { class: "quiet small", text: slow }), use);
}
