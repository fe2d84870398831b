// Exports: of this image, of those that are chosen, of all, of other files; and what became of each.

import { openDialog, theDialog } from "./dialog.js";
import { el, fill, icon } from "./dom.js";
import { choosesFiles, sendOthers } from "./files.js";
import { notice, orNotice, report } from "./notices.js";
import { group, segmented, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */

/**
 * What became of one image: the names of its files, or why there are none.
 * @typedef {object} Exported
 * @property {string} name
 * @property {string} key of an image of this project; empty for other files
 * @property {string[]} files
 * @property {string} error
 */

/** @typedef {{folder: string, images: Exported[], archive: string, older: string}} Batch */

const SEVERAL = 6;
const FORMATS = { ".tif": "TIFF", ".zarr": "OME-Zarr", ".png": "PNG", ".npy": "NPY" };

/** @param {App} app */
export function exportGroup(app) {
  const wanted = { format: ".tif", probabilities: false, overlay: true, tables: false };
  const list = el("div", { class: "fields", id: "exported" });
  const images = whichImages(app);
  const run = el("button", { class: "first", type: "button", id: "export" }, icon("download"), "Export");
  const others = el("button", {
    type: "button", id: "apply", text: "Segment other files…",
    title: "Sends files, segments them without opening them, and lists the results here",
  });
  let busy = false;
  const enable = () => {
    run.disabled = others.disabled = busy || !app.state?.trained || !images.keys().length;
    for (const again of list.querySelectorAll("button.retry")) again.toggleAttribute("disabled", busy);
  };
  const write = async (/** @type {() => Promise<Batch | undefined>} */ segment) => {
    busy = true;
    enable();
    const found = await segment();
    busy = false;
    if (found) {
      tell(found);
      fill(list, ...shown(app, found, retry));
    }
    enable();
  };
  const retry = () => write(() => app.ask("retry"));
  run.addEventListener("click", () => write(() => app.ask("export", { ...wanted, images: images.keys() })));
  const choice = { id: "other-files", title: "Files to segment", multiple: true };
  const accept = () => app.state?.uploads.images.endings ?? [];
  const buttons = el("div", { class: "buttons" }, run, others);
  choosesFiles(others, { ...choice, accept }, (chosen) =>
    write(async () => {
      const files = await sendOthers(app, chosen);
      return files.length ? app.ask("apply", { ...wanted, files }) : undefined;
    }),
  );
  app.addEventListener("change", enable);
  whenFirstShown(app, async () => {
    const found = await app.ask("latest-batch");
    if (found && !list.childElementCount) fill(list, ...shown(app, found, retry));
  });
  return group("Export", images.made, ...ways(wanted), buttons, list);
}

/**
 * Do something when the panel is seen for the first time.
 * @param {App} app
 * @param {() => void} run
 */
function whenFirstShown(app, run) {
  const look = () => {
    if (app.view.tab !== "results" || !app.state) return;
    app.removeEventListener("change", look);
    run();
  };
  app.addEventListener("change", look);
}

/**
 * Let the user choose of which images results are wanted.
 * @param {App} app
 */
function whichImages(app) {
  let which = "this";
  const { made, show } = segmented(
    "Images to export",
    { this: "This image", chosen: "Chosen", all: "All images" },
    (name) => {
      which = name;
      app.changed();
    },
  );
  const chosen = /** @type {HTMLButtonElement} */ (made.querySelector('[data-name="chosen"]'));
  app.addEventListener("chosen", () => {
    if (app.chosen.size) which = "chosen";
  });
  app.addEventListener("change", () => {
    const count = app.chosenImages.length;
    made.hidden = (app.state?.images.length ?? 0) < 2;
    chosen.hidden = !count;
    chosen.textContent = `Chosen (${count})`;
    if (which === "chosen" && !count) which = "this";
    show(which);
  });
  const keys = () => {
    if (which === "chosen") return app.chosenImages;
    return which === "all" ? (app.state?.images.map((one) => one.key) ?? []) : app.image ? [app.image] : [];
  };
  return { made, keys };
}

/**
 * Let the user choose what is written.
 * @param {{format: string, probabilities: boolean, overlay: boolean, tables: boolean}} wanted changed by it
 */
function ways(wanted) {
  const format = el(
    "select",
    {
      id: "format",
      onchange: (/** @type {Event} */ event) => {
        wanted.format = /** @type {HTMLSelectElement} */ (event.target).value;
      },
    },
    ...Object.entries(FORMATS).map(([value, text]) => el("option", { value, text })),
  );
  const overlay = tick("Picture of the overlay", (on) => (wanted.overlay = on));
  overlay.show(true);
  return [
    el("label", { class: "field" }, "Labels as", format),
    overlay.made,
    tick("Probabilities", (on) => (wanted.probabilities = on)).made,
    tick("Tables of areas and parts", (on) => (wanted.tables = on)).made,
  ];
}

/**
 * Say how a batch ended, over the image.
 * @param {Batch} found
 */
function tell({ folder, images, older }) {
  const failed = images.filter((one) => one.error);
  const done = images.length - failed.length;
  report(`${done} of ${images.length} done`, failed, "batch");
  if (done) notice(`Written to ${folder}. ${older}`.trim(), older ? "plain" : "good", { key: "written" });
}

/**
 * Return what became of each image: its files, or the reason; and all files as one archive.
 * @param {App} app
 * @param {Batch} found
 * @param {() => void} retry
 */
function shown(app, { images, archive }, retry) {
  const failed = images.filter((one) => one.error).length;
  const files = images.flatMap((one) => one.files);
  const summary = `${images.length - failed} of ${images.length} done${failed ? `, ${failed} failed` : ""}`;
  const all = el("a", { href: `/results/${archive}`, download: "", id: "archive", text: "All as one .zip" });
  const title = `Try the ${failed === 1 ? "failed one" : `${failed} failed ones`} again`;
  const again = el("button", { class: "retry", type: "button", id: "retry", text: title, onclick: retry });
  const folded = files.length > SEVERAL;
  return [
    el("div", { class: "row" }, el("b", { class: "grow", text: summary }), ...(files.length > 1 ? [all] : [])),
    ...(failed ? [again] : []),
    el("ul", { class: "batch" }, ...images.map((one) => row(app, one, folded))),
  ];
}

/**
 * @param {App} app
 * @param {Exported} one
 * @param {boolean} folded
 */
function row(app, one, folded) {
  const { name, files, error } = one;
  const links = el("ul", { class: "files" }, ...files.map((file) => el("li", {}, link(file))));
  const many = el("details", {}, el("summary", { text: `${files.length} files` }), links);
  const show = el("button", {
    class: "flat wide", type: "button", text: "Look", "aria-label": `Look at the result of ${name}`,
    onclick: () => lookAt(app, one),
  });
  const head = el(
    "div",
    { class: "row" },
    el("span", { class: `dot ${error ? "bad" : "good"}`, "aria-hidden": "true" }),
    el("span", { class: "grow name", text: name, title: name }),
    error ? el("span", { class: "quiet", text: "failed" }) : show,
  );
  return el("li", {}, head, error ? el("p", { class: "note", text: error }) : folded ? many : links);
}

/**
 * Show what was written of an image.
 * @param {App} app
 * @param {Exported} one
 */
async function lookAt(app, { name, key, files }) {
  const picture = await orNotice(pictureOf(files[0]), "look at result");
  if (!picture) return;
  const there = app.state?.images.some((one) => one.key === key);
  const go = el("button", {
    type: "button", text: "Open this image",
    onclick: () => {
      theDialog().close();
      app.goTo(key);
    },
  });
  const shown = el("img", { class: "result", src: picture, alt: `The classes found in ${name}` });
  openDialog(name, shown, classNames(app), ...(there ? [go] : []));
  theDialog().classList.add("broad");
  const end = () => {
    theDialog().classList.remove("broad");
    URL.revokeObjectURL(picture);
  };
  theDialog().addEventListener("close", end, { once: true });
}

/**
 * @param {string} name of one of the files of an image
 * @returns {Promise<string>} address of a picture
 */
async function pictureOf(name) {
  const answer = await fetch(`/results/look?${new URLSearchParams({ name })}`);
  if (!answer.ok) throw new Error(await answer.text());
  return URL.createObjectURL(await answer.blob());
}

/** @param {App} app */
function classNames(app) {
  const names = (app.state?.classes ?? []).map(({ name, color }) => {
    const swatch = el("span", { class: "swatch" });
    swatch.style.setProperty("background", color);
    return el("span", { class: "mark" }, swatch, name);
  });
  return el("div", { class: "marks" }, ...names);
}

/**
 * Return a link to a file; the name alone for a folder, which browsers cannot download.
 * @param {string} file
 */
export function link(file) {
  if (file.endsWith(".zarr")) return el("span", { text: file });
  return el("a", { href: `/results/${encodeURIComponent(file)}`, download: file, text: file });
}
