// The page that is shown before a project is open: what to go on with, what to open, what to try.

import { byId, el, fill } from "./dom.js";
import { taken } from "./dropped.js";
import { BROUGHT } from "./leaving.js";

/** @typedef {{name: string, path: string, kind: "project" | "folder" | "image"}} Entry */
/** @typedef {{folder: string, above: Entry[], entries: Entry[], left_out: number}} Listing */
/** @typedef {{name: string, folder: string, path: string}} Recent */

const KIND = { project: "project", folder: "folder", image: "image" };

/** @type {Listing | null} */
let shown = null;
/** @type {Set<string>} paths of the images that are chosen */
const chosen = new Set();

/**
 * Say what went wrong, or what is under way.
 * @param {string} text
 * @param {"bad" | "busy" | ""} [kind]
 */
function say(text, kind = "") {
  const said = byId("said");
  said.textContent = text;
  said.className = `said ${kind}`;
}

/**
 * Ask the server.
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>} undefined where it refuses, which is said
 */
async function ask(path, options) {
  try {
    const answer = await fetch(path, options);
    if (answer.ok) return await answer.json();
    if (answer.status === 404 && path.startsWith("/start/open")) location.reload(); // opened in another tab
    say((await answer.text()) || `The server answers ${answer.status}.`, "bad");
  } catch {
    say("Stroma does not answer. Is it still running? Start it again with: stroma paint", "bad");
  }
  return undefined;
}

/**
 * Open something; the page of the project comes when it is there.
 * @param {{paths?: string[], address?: string, sample?: string, new?: string, folder?: string}} what
 * @param {string} name
 */
async function open(what, name) {
  if (await begun(what, name)) location.reload();
}

/**
 * @param {{paths?: string[], address?: string, sample?: string, new?: string, folder?: string}} what
 * @param {string} name
 * @returns {Promise<boolean>} whether it is open
 */
async function begun(what, name) {
  say(`Opening ${name}…`, "busy");
  document.body.inert = true;
  const answer = await ask("/start/open", { method: "POST", body: JSON.stringify(what) });
  document.body.inert = false;
  return Boolean(answer);
}

/**
 * Open files that were dropped: they are copied into a new project, in the folder that is shown.
 * @param {DataTransfer} transfer
 */
async function openDropped(transfer) {
  const things = await taken(transfer);
  const files = things.flatMap(({ name, file }) => (file ? [{ name, file }] : []));
  if (!files.length) {
    say("Drop image files here; a folder that is one image (OME-Zarr) is chosen in the list.", "bad");
    return;
  }
  if (!(await begun({ new: files[0].name, folder: shown?.folder }, files[0].name))) return;
  document.body.inert = true;
  const brought = [];
  for (const { name, file } of files) {
    say(`Sending ${name}…`, "busy");
    brought.push({ name, ...(await sent(name, file)) });
  }
  sessionStorage.setItem(BROUGHT, JSON.stringify(brought));
  location.reload();
}

/**
 * @param {string} name
 * @param {File} file
 */
async function sent(name, file) {
  try {
    const answer = await fetch(`/uploads/images?${new URLSearchParams({ name })}`, { method: "POST", body: file });
    return answer.ok ? { joined: await answer.json() } : { error: await answer.text() };
  } catch {
    return { error: "It could not be sent: the file is gone or may not be read, or Stroma does not answer." };
  }
}

function takeDrops() {
  const show = (/** @type {boolean} */ on) => document.body.classList.toggle("dropping", on);
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
    if (event.dataTransfer) openDropped(event.dataTransfer);
  });
}

/** @param {string} folder */
async function go(folder) {
  /** @type {Listing | undefined} */
  const found = await ask(`/start/folder?path=${encodeURIComponent(folder)}`);
  if (!found) return;
  say("");
  shown = found;
  chosen.clear();
  /** @type {HTMLInputElement} */ (byId("find")).value = "";
  show();
}

function show() {
  if (!shown) return;
  const { above, entries, left_out: more } = shown;
  fill(byId("above"), ...above.map((one, at) => step(one, at === above.length - 1)));
  const wanted = /** @type {HTMLInputElement} */ (byId("find")).value.toLowerCase();
  const rows = entries.filter(({ name }) => name.toLowerCase().includes(wanted)).map(row);
  const rest = more ? `${more} more are not listed; name them in the command instead.` : "";
  const none = entries.length ? "Nothing here is called that." : "No images and no folders in here.";
  const note = rest || (rows.length ? "" : none);
  fill(byId("entries"), ...rows, ...(note ? [el("li", { class: "quiet", text: note })] : []));
  byId("open-folder").hidden = !entries.some((one) => one.kind === "image");
  count();
}

/**
 * @param {Entry} one
 * @param {boolean} last
 */
function step(one, last) {
  return el("button", {
    class: "flat wide",
    type: "button",
    text: one.name,
    "aria-current": last ? "location" : undefined,
    onclick: () => go(one.path),
  });
}

/** @param {Entry} one */
function row(one) {
  const mark = el("span", { class: `kind ${one.kind}`, text: KIND[one.kind] });
  const name = el("span", { class: "name", text: one.name, title: one.name });
  if (one.kind !== "image") {
    const act = () => (one.kind === "folder" ? go(one.path) : open({ paths: [one.path] }, one.name));
    return el("li", {}, el("button", { class: "flat", type: "button", onclick: act }, name, mark));
  }
  const tick = el("input", {
    type: "checkbox",
    checked: chosen.has(one.path),
    onchange: () => {
      if (!chosen.delete(one.path)) chosen.add(one.path);
      count();
    },
  });
  const line = el("label", {}, tick, name, mark);
  line.addEventListener("dblclick", () => open({ paths: [one.path] }, one.name));
  return el("li", {}, line);
}

function count() {
  const button = /** @type {HTMLButtonElement} */ (byId("open"));
  button.disabled = !chosen.size;
  button.textContent = chosen.size > 1 ? `Open ${chosen.size} images` : "Open";
  byId("chosen").textContent = chosen.size > 1 ? "They become one project." : "";
}

/**
 * @param {Recent} one
 */
function project(one) {
  const act = () => open({ paths: [one.path] }, one.name);
  return el(
    "button",
    { type: "button", title: one.path, onclick: act },
    el("strong", { text: one.name }),
    el("span", { class: "quiet", text: one.folder }),
  );
}

async function begin() {
  try {
    const { theme } = JSON.parse(localStorage.getItem("stroma.view") ?? "{}");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {
    // What is kept cannot be read: the page stays dark.
  }
  const known = await ask("/start/here");
  if (!known) return;
  byId("recent-part").hidden = !known.recent.length;
  fill(byId("recent"), ...known.recent.map(project));
  const samples = known.samples.map((/** @type {string} */ name) =>
    el("button", { type: "button", text: name, onclick: () => open({ sample: name }, name) }),
  );
  fill(byId("samples"), ...samples);
  byId("find").addEventListener("input", show);
  byId("open").addEventListener("click", () => open({ paths: [...chosen] }, byId("open").textContent?.slice(5) || "it"));
  byId("address-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const { value } = /** @type {HTMLInputElement} */ (byId("address"));
    if (value.trim()) open({ address: value }, value.trim());
    else byId("address").focus();
  });
  byId("open-folder").addEventListener("click", () => shown && open({ paths: [shown.folder] }, shown.folder));
  takeDrops();
  await go(known.folder);
}

begin();
