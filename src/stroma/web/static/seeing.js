// What a trained network sees, as features for strokes: which network.

import { openDialog, theDialog } from "./dialog.js";
import { el } from "./dom.js";
import { choosesFiles, seeWith } from "./files.js";
import { notice } from "./notices.js";

/** @typedef {import("./app.js").App} App */

/**
 * Ask for a network: a file, or the id of one that is fetched.
 * @param {App} app
 */
export function chooseNetwork(app) {
  const own = el("input", { type: "checkbox", checked: true, id: "network-own" });
  const id = el("input", { type: "text", id: "network-id", placeholder: "affable-shark", spellcheck: "false", maxlength: 80 });
  const fetchIt = async (/** @type {Event} */ event) => {
    event.preventDefault();
    theDialog().close();
    const used = await app.ask("see-with", { id: id.value, own: own.checked });
    if (used !== undefined) notice(`The model sees with ${id.value.trim()} now.`, "good");
  };
  const file = el("button", { type: "button", text: "Choose a file…" });
  const byFile = el("div", { class: "buttons" }, file);
  choosesFiles(
    file,
    { id: "network-file", title: "Network to see with", multiple: false, accept: () => app.state?.uploads.networks.endings ?? [] },
    ([chosen]) => {
      theDialog().close();
      if (chosen) seeWith(app, chosen, own.checked);
    },
  );
  openDialog(
    "See with a network",
    el("p", { text: "What a network was trained to see becomes features, and your strokes say what they are to mean. It may be a package of bioimage.io (.zip) or a network that was trained here (.safetensors)." }),
    el("label", { class: "row" }, own, "Keep Stroma's own features beside it"),
    byFile,
    el(
      "form",
      { class: "fields", onsubmit: fetchIt },
      el("label", { class: "field" }, "Or its id at bioimage.io", id),
      el("div", { class: "answers" }, el("button", { class: "first", type: "submit", id: "network-fetch", text: "Fetch and use" })),
    ),
    el("p", { class: "note", text: "Networks that come as programs (Python, TorchScript) are never run here; the project keeps a copy of a file." }),
  );
}
