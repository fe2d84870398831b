// Files that the user brings: images to open, and strokes for the image that is shown.

import { byId, el } from "./dom.js";
import { taken } from "./dropped.js";
import { notice, orNotice, report, wordsOf } from "./notices.js";
import { opened } from "./series.js";
import { showWork } from "./tasks.js";

const AT_ONCE = 4;

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Uploads} Uploads */

/** @typedef {import("./dropped.js").Dropped} Dropped */

/**
 * Do something with files one after the other; those that fail are told at the end, each with its
 * reason.
 * @template T
 * @param {Dropped[]} things
 * @param {(one: Dropped) => Promise<T | undefined>} work
 * @param {{done: string, key: string}} words
 * @returns {Promise<T[]>} what came of the others
 */
async function oneByOne(things, work, { done, key }) {
  const made = [];
  const failed = [];
  for (const one of things) {
    try {
      const found = await work(one);
      if (found !== undefined) made.push(found);
    } catch (error) {
      failed.push({ name: one.name, error: wordsOf(error) });
    }
  }
  report(`${done} ${made.length} of ${things.length}`, failed, key);
  return made;
}

/**
 * Open images one after the other, and look at the first that could be opened.
 * @param {App} app
 * @param {Dropped[]} things
 */
export async function openImages(app, things) {
  let first = "";
  const open = async (/** @type {Dropped} */ one) => {
    const sent = one.files ? await sendFolder(app, one) : await sendImage(app, one, "/uploads/images");
    const joined = await opened(app, one.name, sent);
    if (joined && !first) app.goTo((first = joined.image));
    return joined;
  };
  await oneByOne(things, open, { done: "Opened", key: "opening" });
}

/**
 * Send images that are only to be segmented.
 * @param {App} app
 * @param {File[]} files
 * @returns {Promise<string[]>} their names in the project
 */
export async function sendOthers(app, files) {
  const work = (/** @type {Dropped} */ one) => sendImage(app, one, "/uploads/others");
  const sent = await oneByOne(files.map(asDropped), work, { done: "Sent", key: "sending" });
  return sent.map((one) => one.file);
}

/** @param {File} file */
export function asDropped(file) {
  return { name: file.name, file };
}

/**
 * @param {App} app
 * @param {Dropped} one
 * @param {string} path
 * @returns {Promise<any>}
 */
async function sendImage(app, { file }, path) {
  const allowed = app.state?.uploads.images;
  return file && allowed ? send(file, path, { name: file.name }, allowed) : undefined;
}

/**
 * Lay the strokes in a file over those of the image that is shown.
 * @param {App} app
 * @param {File} file
 */
export async function importStrokes(app, file) {
  const { image } = app;
  const allowed = app.state?.uploads.strokes;
  const values = { name: file.name, image };
  const done = allowed && (await orNotice(named(file, send(file, "/uploads/strokes", values, allowed)), "strokes"));
  if (done) notice(`The strokes of ${file.name} were imported; Undo takes them back.`, "good");
}

/**
 * Take over the objects of a label image as those of the image that is shown.
 * @param {App} app
 * @param {File} file
 */
export async function importObjects(app, file) {
  const values = { name: file.name, image: app.image };
  const allowed = app.state?.uploads.images;
  const done = allowed && (await orNotice(named(file, send(file, "/uploads/objects", values, allowed)), "objects"));
  if (done) notice(`These are the objects of ${file.name} now, with its numbers; Undo takes them back.`, "good");
}

/**
 * Go on with the model in a file.
 * @param {App} app
 * @param {File} file
 */
export async function loadModel(app, file) {
  const allowed = app.state?.uploads.models;
  const done = allowed && (await orNotice(named(file, send(file, "/uploads/models", { name: file.name }, allowed)), "model"));
  if (done) notice(`${file.name} is the model now, until strokes of two classes train another.`, "good");
}

/**
 * Take what the network in a file sees as features.
 * @param {App} app
 * @param {File} file
 * @param {boolean} own whether features of ours stay beside them
 */
export async function seeWith(app, file, own) {
  const allowed = app.state?.uploads.networks;
  const values = { name: file.name, own: own ? "yes" : "" };
  const done = allowed && (await orNotice(named(file, send(file, "/uploads/networks", values, allowed)), "network"));
  if (done) notice(`The model sees with ${file.name} now.`, "good");
}

/**
 * Let a table of another program join the objects of the image that is looked at.
 * @param {App} app
 * @param {File} file
 */
export async function importTable(app, file) {
  const values = { name: file.name, image: app.image };
  const allowed = app.state?.uploads.tables;
  const done = allowed && (await orNotice(named(file, send(file, "/uploads/table", values, allowed)), "table"));
  if (done) notice(`The columns of ${file.name} joined the objects; Undo takes them back.`, "good");
}

/**
 * Put the name of a file in front of what went wrong with it.
 * @template T
 * @param {File} file
 * @param {Promise<T>} promise
 */
function named(file, promise) {
  return promise.catch((error) => {
    throw new Error(`${file.name}: ${wordsOf(error)}`);
  });
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
    if (event.dataTransfer) taken(event.dataTransfer).then((things) => take(app, things));
  });
}

/**
 * @param {App} app
 * @param {Dropped[]} things
 */
function take(app, things) {
  const { images, strokes } = app.state?.uploads ?? {};
  const ends = (/** @type {string[]} */ endings = []) => (/** @type {Dropped} */ { name }) =>
    endings.some((ending) => name.toLowerCase().endsWith(ending));
  const isStrokes = ends(strokes?.endings);
  const isImage = ends(images?.endings);
  for (const { file, inside } of things.filter(isStrokes)) if (file && !inside) importStrokes(app, file);
  // A folder may hold anything; what lies in it and is no image is left out, and that is said.
  const wanted = things.filter((one) => one.files || isImage(one) || !(one.inside || isStrokes(one)));
  const left = things.filter((one) => one.inside && !one.files && !isImage(one)).length;
  if (left) notice(`${left} ${left === 1 ? "file in the folder is" : "files in the folder are"} no image.`);
  if (wanted.length) openImages(app, wanted);
  else if (things.every((one) => one.inside)) notice("There is no image in that folder.", "bad");
}

let sent = 0;

/**
 * Send an image that is a folder, file by file, and open it.
 * @param {App} app
 * @param {Dropped} one
 * @returns {Promise<any>}
 */
async function sendFolder(app, { name, files = [] }) {
  const folder = crypto.getRandomValues(new Uint32Array(4)).reduce((text, n) => text + n.toString(16).padStart(8, "0"), "");
  const key = `file ${(sent += 1)}`;
  const stopped = new AbortController();
  const left = files.map((_, i) => i).reverse();
  const show = () => {
    const done = files.length - left.length;
    showWork(key, { what: `Sending ${name}`, done, total: files.length, stop: () => stopped.abort() });
  };
  const sender = async () => {
    for (let i = left.pop(); i !== undefined; i = left.pop()) {
      const query = new URLSearchParams({ folder, path: files[i].path });
      const how = { method: "POST", body: files[i].file, signal: stopped.signal };
      const answer = await fetch(`/uploads/pieces?${query}`, how);
      if (!answer.ok) throw new Error(await answer.text());
      show();
    }
  };
  show();
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    return await app.connection.send("open-folder", { folder, name });
  } catch (error) {
    left.length = 0;
    await app.connection.send("leave-folder", { folder });
    if (stopped.signal.aborted) return undefined;
    throw error;
  } finally {
    showWork(key, null);
  }
}

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
      new Error(`It has ${has} MiB, and ${most} MiB can be sent. Open it where it lies: stroma paint FILE --project NAME.stroma`),
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
      else reject(new Error(request.responseText));
    });
    request.addEventListener("abort", () => resolve(undefined));
    request.addEventListener("error", () => {
      reject(new Error("It was not sent: it cannot be read, or the connection broke. Try again."));
    });
  });
  request.open("POST", `${path}?${new URLSearchParams(values)}`);
  request.send(file);
  show(0);
  return ended.finally(() => showWork(key, null));
}
