// Files that the user brings: images to open, and strokes for the image that is shown.

import { byId, el } from "./dom.js";
import { notice, orNotice } from "./notices.js";
import { showWork } from "./tasks.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Uploads} Uploads */

/**
 * Open images one after the other, and look at the first that could be opened.
 * @param {App} app
 * @param {File[]} files
 */
export async function openImages(app, files) {
  let first = "";
  for (const file of files) {
    const allowed = app.state?.uploads.images;
    const opened = allowed && (await orNotice(send(file, "/uploads/images", {}, allowed)));
    if (opened && !first) app.goTo((first = opened.image));
  }
}

/**
 * Send images that are only to be segmented.
 * @param {App} app
 * @param {File[]} files
 * @returns {Promise<string[]>} their names in the project
 */
export async function sendOthers(app, files) {
  const names = [];
  for (const file of files) {
    const allowed = app.state?.uploads.images;
    const sent = allowed && (await orNotice(send(file, "/uploads/others", {}, allowed)));
    if (sent) names.push(sent.file);
  }
  return names;
}

/**
 * Lay the strokes in a file over those of the image that is shown.
 * @param {App} app
 * @param {File} file
 */
export async function importStrokes(app, file) {
  const { image } = app;
  const allowed = app.state?.uploads.strokes;
  const done = allowed && (await orNotice(send(file, "/uploads/strokes", { image }, allowed)));
  if (done) notice(`The strokes of ${file.name} were imported; Undo takes them back.`, "good");
}

/**
 * Make a button that lets the user choose files.
 * @param {HTMLButtonElement} button
 * @param {{id: string, title: string, multiple: boolean, accept: () => string[]}} options
 * @param {(files: File[]) => void} take
 */
export function choosesFiles(button, { id, title, multiple, accept }, take) {
  const input = el("input", { type: "file", id, hidden: true, multiple, "aria-label": title });
  input.addEventListener("change", () => {
    take([...(input.files ?? [])]);
    input.value = "";
  });
  button.addEventListener("click", () => {
    input.accept = accept().join(",");
    input.click();
  });
  button.after(input);
}

/**
 * Take files that are dropped anywhere: strokes by their ending, all else as images.
 * @param {App} app
 */
export function takeDrops(app) {
  const stage = byId("canvas").parentElement;
  const show = (/** @type {boolean} */ on) => stage?.classList.toggle("dropping", on);
  window.addEventListener("dragover", (event) => {
    event.preventDefault(); // otherwise the browser would leave the page for the file
    show(Boolean(event.dataTransfer?.types.includes("Files")));
  });
  window.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) show(false);
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    take(app, [...(event.dataTransfer?.files ?? [])]);
  });
}

/**
 * @param {App} app
 * @param {File[]} files
 */
function take(app, files) {
  const endings = app.state?.uploads.strokes.endings ?? [];
  const isStrokes = (/** @type {File} */ { name }) =>
    endings.some((ending) => name.toLowerCase().endsWith(ending));
  for (const file of files.filter(isStrokes)) importStrokes(app, file);
  openImages(app, files.filter((file) => !isStrokes(file)));
}

let sent = 0;

/**
 * Send a file, showing how far that is.
 * @param {File} file
 * @param {string} path
 * @param {Record<string, string>} values
 * @param {Uploads} allowed
 * @returns {Promise<any>} what the server answers; undefined if the user stopped it
 */
function send(file, path, values, { limit }) {
  if (file.size > limit) {
    const [has, most] = [file.size, limit].map((bytes) => Math.ceil(bytes / 2 ** 20));
    return Promise.reject(
      new Error(`${file.name} has ${has} MiB, and ${most} MiB can be sent. Open it where it lies: stroma paint FILE --project NAME.stroma`),
    );
  }
  const request = new XMLHttpRequest(); // fetch does not tell how far it is
  const key = `file ${(sent += 1)}`;
  const start = performance.now();
  const show = (/** @type {number} */ done) => {
    const seconds = (performance.now() - start) / 1000;
    showWork(key, {
      what: done < file.size ? `Sending ${file.name}` : `Opening ${file.name}`,
      done, total: file.size, stop: () => request.abort(),
      left: done && seconds > 0.5 ? (seconds / done) * (file.size - done) : null,
    });
  };
  const ended = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => show(event.loaded));
    request.addEventListener("load", () => {
      if (request.status === 200) resolve(JSON.parse(request.responseText));
      else reject(new Error(`${file.name}: ${request.responseText}`));
    });
    request.addEventListener("abort", () => resolve(undefined));
    request.addEventListener("error", () => {
      reject(new Error(`${file.name} was not sent: it cannot be read, or the connection broke. Try again.`));
    });
  });
  request.open("POST", `${path}?${new URLSearchParams({ name: file.name, ...values })}`);
  request.send(file);
  show(0);
  return ended.finally(() => showWork(key, null));
}
