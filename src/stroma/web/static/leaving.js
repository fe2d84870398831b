// Between the page to choose on and that of a project: the way back, and what was dropped there.

import { confirmed } from "./dialog.js";
import { byId, el } from "./dom.js";
import { orNotice, report, wordsOf } from "./notices.js";
import { opened } from "./series.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Told} Told */
/** @typedef {import("./series.js").Joined} Joined */

export const BROUGHT = "stroma.brought";

/**
 * Lead back to the page to choose on, where there is one; all tabs go there.
 * @param {App} app
 */
export function showWayBack(app) {
  app.addEventListener("told", (event) => {
    if (/** @type {CustomEvent<Told>} */ (event).detail.event === "left") location.reload();
  });
  takeBrought(app);
  const { leave } = document.body.dataset;
  if (!leave) return;
  const button = el("button", {
    type: "button", id: "leave", text: "Projects", title: "Close this project, and choose another; everything is saved",
    onclick: () => leaveProject(leave),
  });
  byId("open-images").after(button);
}

/** @param {string} address */
async function leaveProject(address) {
  const busy = byId("tasks").childElementCount > 0;
  const lines = ["What is under way is stopped. Strokes and finished results are kept."];
  if (busy && !(await confirmed("Close this project?", { lines, yes: "Close project", kind: "first" }))) return;
  const left = fetch(address, { method: "POST" }).then((answer) => {
    if (!answer.ok) throw new Error(`The project was not closed: the server answers ${answer.status}.`);
    location.reload();
  });
  orNotice(left, "leave");
}

/**
 * Go on with files that were dropped on the page to choose on.
 * @param {App} app
 */
function takeBrought(app) {
  /** @type {{name: string, joined?: Joined, error?: string}[]} */
  const brought = JSON.parse(sessionStorage.getItem(BROUGHT) ?? "[]");
  sessionStorage.removeItem(BROUGHT);
  if (!brought.length) return;
  const take = async () => {
    const failed = brought.flatMap(({ name, error }) => (error ? [{ name, error }] : []));
    for (const { name, joined } of brought) {
      await opened(app, name, joined).catch((error) => failed.push({ name, error: wordsOf(error) }));
    }
    report(`Opened ${brought.length - failed.length} of ${brought.length}`, failed, "opening");
  };
  app.addEventListener("change", () => void take(), { once: true });
}
