// A file with several images: the user says which of them to open.

import { openDialog, theDialog } from "./dialog.js";
import { el } from "./dom.js";

/** @typedef {import("./app.js").App} App */

/**
 * What the server answers to a file that was sent: the image, or those there are to choose from.
 * @typedef {{image?: string, file?: string, choose?: {number: number, title: string}[]}} Joined
 */

const ALL = 12;

/**
 * Ask which images to open, if there are several.
 * @param {App} app
 * @param {string} name of the file
 * @param {Joined | undefined} joined
 * @returns {Promise<{image: string} | undefined>} the first one; undefined if the user wants none
 */
export async function opened(app, name, joined) {
  if (joined?.image) return { image: joined.image };
  if (!joined?.choose) return undefined;
  const { file, choose } = joined;
  const numbers = await chosen(name, choose);
  if (!numbers.length) {
    await app.connection.send("leave-file", { file });
    return undefined;
  }
  const keys = await app.connection.send("open-series", { file, numbers });
  return { image: keys[0] };
}

/**
 * @param {string} name
 * @param {{number: number, title: string}[]} choose
 * @returns {Promise<number[]>}
 */
function chosen(name, choose) {
  const boxes = choose.map(({ number, title }) => {
    const input = el("input", { type: "checkbox", checked: number === 0 || choose.length <= ALL, value: number });
    return { input, row: el("label", { class: "row" }, input, title) };
  });
  const dialog = theDialog();
  return new Promise((resolve) => {
    let numbers = /** @type {number[]} */ ([]);
    dialog.addEventListener("close", () => resolve(numbers), { once: true });
    const open = el("button", {
      class: "first", type: "button", id: "open-series", text: "Open",
      onclick: () => {
        numbers = boxes.filter(({ input }) => input.checked).map(({ input }) => Number(input.value));
        dialog.close();
      },
    });
    const cancel = el("button", { type: "button", text: "Cancel", onclick: () => dialog.close() });
    openDialog(
      `${name} holds ${choose.length} images`,
      el("p", { text: "Which of them do you want to open?" }),
      el("div", { class: "choices" }, ...boxes.map(({ row }) => row)),
      el("div", { class: "answers" }, cancel, open),
    );
    open.focus();
  });
}
