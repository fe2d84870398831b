// The extractors: what each is good for, whether it is here, and using one.

import { confirmed, openDialog, theDialog } from "./dialog.js";
import { el } from "./dom.js";
import { notice } from "./notices.js";
import { showWhile } from "./tasks.js";

/** @typedef {import("./app.js").App} App */

/**
 * @typedef {object} Listed
 * @property {string} alias
 * @property {string} title
 * @property {string} good what it is good for, and what it costs
 * @property {"here" | "download" | "missing"} state
 * @property {number} megabytes
 * @property {string} licence
 * @property {string} problem what is missing, and how to get it
 */

/**
 * Show all extractors.
 * @param {App} app
 */
export async function listExtractors(app) {
  /** @type {Listed[] | undefined} */
  const found = await showWhile("Looking at what is here", app.ask("extractors"));
  if (!found) return;
  const note = "An extractor turns every pixel and its surroundings into numbers, by which the classifier tells the classes apart.";
  openDialog("Extractors", el("p", { class: "note", text: note }), el("ul", { class: "listed" }, ...found.map((one) => row(app, one))));
  theDialog().querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
}

/**
 * @param {App} app
 * @param {Listed} one
 */
function row(app, one) {
  const { alias, title, good, state, problem } = one;
  const used = app.state?.alias === alias;
  const use = el("button", {
    type: "button", text: used ? "In use" : "Use this", disabled: used || state === "missing",
    "aria-label": used ? `${title} is in use` : `Use ${title}`,
    onclick: async () => {
      theDialog().close();
      await useExtractor(app, alias, title);
    },
  });
  const facts = el("span", { class: `quiet small ${state}`, text: stateWords(one) });
  const words = el("div", { class: "grow" }, el("strong", { text: title }), el("p", { class: "note", text: good }), facts);
  if (problem) words.append(el("p", { class: "note", text: problem }));
  return el("li", { "aria-current": used && "true" }, words, use);
}

/** @param {Listed} one */
function stateWords({ state, megabytes, licence }) {
  if (state === "missing") return "Not here";
  if (state === "here") return licence ? `Here. Licence: ${licence}` : "Here; nothing to download";
  return `To download: up to ${megabytes} MB. Licence: ${licence}`;
}

/**
 * Use a configuration; what has to be downloaded for it is, if the user agrees.
 * @param {App} app
 * @param {string} alias
 * @param {string} title
 * @returns {Promise<boolean>} whether it is used
 */
export async function useExtractor(app, alias, title) {
  if (!(await isAtHand(app, alias, title))) return false;
  return (await app.ask("alias", { alias })) !== undefined;
}

/**
 * Tell whether a configuration can be used; what has to be downloaded is, if the user agrees.
 * @param {App} app
 * @param {string} alias
 * @param {string} title
 */
async function isAtHand(app, alias, title) {
  /** @type {{problem: string, downloads: Download[]} | undefined} */
  const needs = await app.ask("needs", { alias });
  if (!needs) return false;
  if (needs.problem) notice(needs.problem, "bad", { key: "command needs" });
  if (needs.problem || !needs.downloads.length) return !needs.problem;
  const agreed = await confirmed(`Download ${title}?`, {
    lines: needs.downloads.map(words),
    yes: "Download",
    kind: "first",
  });
  return agreed && (await app.ask("download", { alias })) !== undefined;
}

/** @typedef {{name: string, megabytes: number, licence: string, repository: string, gated: boolean}} Download */

/** @param {Download} download */
function words({ megabytes, licence, repository, gated }) {
  const first = `Up to ${megabytes} MB from ${repository}; only the layers that are used are fetched, once.`;
  const accept = gated ? " It has to be accepted on the page of the repository first." : "";
  return `${first} Licence of the network: ${licence}.${accept}`;
}
