// Groups of similar pixels, found without strokes: a picture of them, and buttons that take one as a class.

import { openDialog, theDialog } from "./dialog.js";
import { el, fill } from "./dom.js";
import { showWhile } from "./tasks.js";

/** @typedef {import("./app.js").App} App */

/**
 * @typedef {object} Found
 * @property {string} picture PNG in base 64
 * @property {number} seen
 * @property {{group: number, color: string, share: number}[]} groups
 */

/**
 * Open a dialog in which groups of the plane in view are looked at, and taken as the chosen class.
 * @param {App} app
 */
export function showGroups(app) {
  const { image, plane, label } = app;
  const name = app.state?.classes.find((one) => one.label === label)?.name ?? String(label);
  const count = el("input", { type: "number", id: "group-count", min: 2, max: 64, step: 1, value: 4 });
  const picture = el("img", { class: "groups", alt: "The groups of this plane", hidden: true });
  const list = el("ul", { class: "files", id: "groups-found" });
  const find = el("button", { type: "button", id: "find-groups", class: "first", text: "Find groups" });
  find.addEventListener("click", async () => {
    const asked = { image, plane, count: Number(count.value) };
    find.disabled = true;
    /** @type {Found | undefined} */
    const found = await showWhile("Looking for groups", app.ask("groups", asked));
    find.disabled = false;
    if (!found) return;
    URL.revokeObjectURL(picture.src);
    picture.src = URL.createObjectURL(asPng(found.picture));
    picture.hidden = false;
    fill(list, ...found.groups.map((one) => row(app, one, name, { ...asked, seen: found.seen, label })));
  });
  openDialog(
    "Groups of similar pixels",
    el("p", { class: "note", text: "What looks alike to the features of the model is one group. A group can be taken as strokes of a class; pixels at its border, and those that are painted already, are left out." }),
    el("label", { class: "field" }, "Number of groups", count),
    find,
    picture,
    list,
  );
}

/**
 * Return the picture that a text in base 64 stands for.
 * @param {string} text
 */
function asPng(text) {
  return new Blob([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], { type: "image/png" });
}

/**
 * @param {App} app
 * @param {Found["groups"][number]} one
 * @param {string} name of the class it is taken as
 * @param {object} asked
 */
function row(app, { group, color, share }, name, asked) {
  const swatch = el("span", { class: "swatch" });
  swatch.style.setProperty("background", color);
  const take = el("button", {
    type: "button", text: `Take as ${name}`, "aria-label": `Take group ${group} as ${name}`,
    onclick: async () => {
      const edit = await showWhile("Taking the group", app.ask("take-group", { ...asked, group }));
      if (edit !== undefined) theDialog().close();
    },
  });
  return el("li", { class: "row" }, swatch, el("span", { class: "grow", text: `Group ${group}: ${(100 * share).toFixed(1)} %` }), take);
}
