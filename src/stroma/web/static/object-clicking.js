// The part of the panel "Objects" for clicking them: what is proposed, and what can be done with it.

import { el, fill } from "./dom.js";
import { doneWith, queueRow } from "./object-queue.js";
import { group, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./object-clicks.js").Clicks} Clicks */

const ENGINES = { graph: "Edges and colours (no download)", carve: "Boundaries all around (no download)" };

/**
 * @param {App} app
 * @param {Clicks} clicks
 */
export function clickGroup(app, clicks) {
  const note = el("p", { class: "note", id: "click-note", role: "status" });
  const button = (/** @type {string} */ id, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ onclick) =>
    el("button", { type: "button", id, text, title, onclick });
  const commit = button("commit-object", "Commit (S)", "Makes the proposal an object; also C or Enter", () => clicks.commit());
  const clear = button("clear-clicks", "Clear (Shift+C)", "Drops the proposal; also Escape. Backspace takes back the last click", () => clicks.clear());
  const another = button("another-object", "Another (W)", "What else the click may mean: a part, or what it is a part of", () => clicks.another());
  const carry = button("carry-object", "Carry to other planes (Shift+S)", "Finds the object that is selected, or was committed last, on neighbouring planes or frames too, until it fades", () => clicks.carry());
  const all = button("find-everything", "Find all objects", "Without clicks: what stands out clearly, beside the objects that are there. A step of undo", () => clicks.everything());
  const each = tick("Each click is an object of its own", (on) => {
    clicks.each = on;
  });
  each.made.title = "A click commits what was proposed before; with Shift it adds to it";
  const strokes = tick("Dragging draws on the object", (on) => {
    clicks.strokes = on;
  });
  strokes.made.title = "Instead of a box around it; dragging with Shift always draws on it, with the right button beside it";
  const engine = el("select", {
    id: "prompt-engine",
    onchange: () => {
      clicks.engine = engine.value;
      clicks.clear();
      clicks.choose(true);
    },
  });
  const engines = el("label", { class: "field" }, "Found by", engine);
  const show = () => {
    const { found } = clicks.draft;
    note.textContent = words(clicks);
    commit.disabled = !clicks.committable;
    clear.disabled = !clicks.marked;
    another.disabled = !found || found.choices < 2;
    all.disabled = clicks.finding || !app.current;
    const { outer } = app.current ?? { outer: {} };
    carry.hidden = !Object.values(outer).some((size) => size > 1);
    carry.disabled = !clicks.carried;
  };
  let asked = false;
  const know = async () => {
    if (asked || !clicks.chosen) return;
    asked = true;
    const names = (await app.ask("prompt-engines")) ?? [];
    const of = (/** @type {string} */ name) => ENGINES[/** @type {keyof typeof ENGINES} */ (name)] ?? name;
    fill(engine, ...names.map((/** @type {string} */ name) => el("option", { value: name, text: of(name) })));
    engine.value = clicks.engine;
    engines.hidden = names.length < 2;
  };
  engines.hidden = true;
  clicks.addEventListener("look", show);
  clicks.desk.addEventListener("known", show);
  clicks.desk.addEventListener("look", show);
  clicks.addEventListener("chosen", know);
  app.addEventListener("change", show);
  show();
  const made = group(
    "Click objects", note, el("div", { class: "buttons" }, commit, clear, another, carry, all), each.made, strokes.made, engines, queueRow(app),
  );
  made.hidden = true;
  return made;
}

/** What is said while clicks take away. */
const TAKES = " Clicks say what does not belong to it (T).";

/** @param {Clicks} clicks */
function words({ draft, marked, beside }) {
  if (!marked) return `Click an object, or drag a box around it.${beside ? TAKES : ""}`;
  if (!draft.marks.some((mark) => mark.on)) return "Click on the object too: so far it is only said what is beside it.";
  const { found } = draft;
  if (!found) return draft.busy ? "Looking…" : "There is no answer: why is said over the image. Escape clears the click.";
  if (draft.same) return `Object ${found.replaces} again: click on what it lacks; with the right button on what is not of it. Escape leaves it as it is.`;
  const cut = found.cut ? " It reaches beyond what was looked at: zoom out for all of it." : "";
  const which = found.choices > 1 ? ` (${found.choice + 1} of ${found.choices})` : "";
  return `${found.area.toLocaleString("en")} px, score ${found.score.toFixed(2)}${which}. S commits ${found.replaces ? `the change of object ${found.replaces}` : "it"}.${cut}${beside ? TAKES : ""}`;
}

/**
 * Return what keys do while objects are clicked; the same as in micro-sam, and some more.
 * @param {App} app
 * @param {Clicks} clicks
 * @param {boolean} shift whether that key is held
 * @returns {Record<string, () => void>}
 */
export function clickKeys(app, clicks, shift) {
  /** @type {Record<string, () => void>} */
  const always = { n: () => doneWith(app, shift ? "skipped" : "accepted"), t: () => clicks.turn() };
  if (shift && clicks.carried) always.s = () => void clicks.carry();
  if (!clicks.marked) return always;
  return {
    s: () => clicks.commit(),
    enter: () => clicks.commit(),
    c: shift ? () => clicks.clear() : () => clicks.commit(),
    escape: () => clicks.clear(),
    w: () => clicks.another(),
    backspace: () => clicks.back(),
    delete: () => clicks.back(),
    ...always,
  };
}
