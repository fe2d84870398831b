// The panel "Paint": classes, brush, training, and what of the result is shown.

import { el, icon } from "./dom.js";
import { showGroups } from "./groups.js";
import { notice } from "./notices.js";
import { wandGroup } from "./picking.js";
import { sizesOf } from "./slices.js";
import { group, rebuild, segmented, slider, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Class} Class */

/**
 * @param {App} app
 * @param {{setRadius: (radius: number) => void, paintHereNext: () => void}} actions
 */
export function paintPanel(app, { setRadius, paintHereNext }) {
  return el(
    "div",
    { class: "panel" },
    classGroup(app),
    brushGroup(app, setRadius),
    wandGroup(app),
    strokesGroup(app),
    trainGroup(app, paintHereNext),
    overlayGroup(app),
  );
}

/** @param {App} app */
function classGroup(app) {
  const list = el("ul", { class: "classes", id: "classes" });
  const add = el(
    "button",
    { type: "button", id: "add-class", onclick: () => addClass(app, list) },
    icon("plus"),
    "Add class",
  );
  app.addEventListener("change", () => {
    const { state } = app;
    if (state) {
      rebuild(list, [state.classes, app.label, [...app.hidden], [...app.faint]], () =>
        state.classes.map((one, i) => classRow(app, one, i)),
      );
      const row = /** @type {HTMLElement | null} */ (list.querySelector(".active"));
      const at = row ? row.offsetTop - list.offsetTop : 0;
      if (row && (at < list.scrollTop || at + row.offsetHeight > list.scrollTop + list.clientHeight)) {
        list.scrollTop = at;
      }
    }
  });
  return group("Classes", list, add);
}

/**
 * Add a class, with its name in edit at once.
 * @param {App} app
 * @param {HTMLElement} list
 */
function addClass(app, list) {
  app.addClass();
  const input = list.querySelector(`[data-key="name-${app.label}"]`);
  if (input instanceof HTMLInputElement) {
    input.focus();
    input.select();
  }
}

/**
 * @param {App} app
 * @param {Class} one
 * @param {number} i position in the list, which is also its key
 */
function classRow(app, { label, name, color }, i) {
  const active = app.label === label;
  const valueOf = (/** @type {Event} */ event) =>
    /** @type {HTMLInputElement} */ (event.target).value;
  const change = (/** @type {object} */ values) => app.ask("change-class", { label, ...values });
  return el(
    "li",
    { class: active ? "class active" : "class", onclick: () => app.chooseClass(label) },
    el("button", {
      class: "choose", type: "button", text: i < 9 ? String(i + 1) : "·", "data-key": `choose-${label}`,
      "aria-pressed": String(active), "aria-label": `Paint ${name}`, title: `Paint ${name} (${i + 1})`,
      onclick: (/** @type {Event} */ event) => {
        event.stopPropagation();
        app.chooseClass(label);
      },
    }),
    el("input", {
      type: "color", value: color, "aria-label": `Colour of ${name}`, "data-key": `color-${label}`,
      onchange: (/** @type {Event} */ event) => change({ color: valueOf(event) }),
    }),
    el("input", {
      type: "text", value: name, maxlength: 100, "aria-label": `Name of class ${label}`,
      "data-key": `name-${label}`, spellcheck: "false",
      onblur: (/** @type {Event} */ event) => {
        const typed = valueOf(event).trim();
        if (typed && typed !== name) change({ name: typed });
        else /** @type {HTMLInputElement} */ (event.target).value = name;
      },
      onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const input = /** @type {HTMLInputElement} */ (event.target);
        if (event.key === "Escape") input.value = name;
        if (event.key === "Enter" || event.key === "Escape") input.blur();
      },
    }),
    el(
      "button",
      {
        class: "flat eye", type: "button", "data-key": `eye-${label}`,
        "aria-label": `Show the results of ${name}`, "aria-pressed": String(!app.hidden.has(label)),
        title: "Show its results or not; double-click, or Alt and click, shows it alone",
        onclick: (/** @type {MouseEvent} */ event) => {
          event.stopPropagation();
          if (event.altKey || event.detail === 2) app.solo(label);
          else if (event.detail < 2) app.toggleClass(label);
        },
      },
      icon(app.hidden.has(label) ? "hidden" : "eye"),
    ),
    el(
      "button",
      {
        class: "flat remove", type: "button", "aria-label": `Remove ${name} and its strokes`,
        title: "Remove with its strokes (can be undone)", "data-key": `remove-${label}`,
        onclick: (/** @type {Event} */ event) => {
          event.stopPropagation();
          app.ask("remove-class", { label });
        },
      },
      icon("close"),
    ),
  );
}

/**
 * @param {App} app
 * @param {(radius: number) => void} setRadius
 */
function brushGroup(app, setRadius) {
  // The slider is logarithmic: small brushes need fine steps.
  const size = slider({
    title: "Brush size", low: 0, high: 100, step: 1,
    words: () => `${2 * app.view.radius} px`,
    change: (value) => setRadius(0.5 * 400 ** (value / 100)),
    help: "Diameter ([ and ], or Shift and the wheel)",
  });
  const on = segmented(
    "Brush size is measured on",
    { image: "Image pixels", screen: "Screen pixels" },
    (name) => app.look({ brushOn: name }),
  );
  on.made.title = "On the screen, the brush stays as wide as it looks whatever the zoom";
  const strokes = tick("Show strokes", (on) => app.look({ showStrokes: on }));
  app.addEventListener("change", () => {
    size.show(Math.round((100 * Math.log(app.view.radius / 0.5)) / Math.log(400)));
    strokes.show(app.view.showStrokes);
    on.show(app.view.brushOn);
  });
  return group("Brush", size.made, on.made, strokes.made);
}

/** @param {App} app */
function strokesGroup(app) {
  const here = () => ({ image: app.image, plane: app.plane });
  const button = (/** @type {string} */ id, /** @type {string} */ title, /** @type {() => void} */ run) =>
    el("button", { id, type: "button", title, onclick: run });
  const plane = button("clear-plane", "Removes all strokes that are on the screen's plane; can be undone", () =>
    app.ask("clear", here()),
  );
  const one = button("clear-class", "Removes those of the chosen class from this plane; can be undone", () =>
    app.ask("clear", { ...here(), label: app.label }),
  );
  const sizes = () => (app.current ? sizesOf(app.current) : {});
  const axis = () =>
    app.isVolume ? app.across : ["z", "t"].find((name) => (app.current?.outer[name] ?? 1) > 1);
  const copy = button("copy-strokes", "Lays the strokes of this plane over those of the next, and goes there", async () => {
    const along = axis();
    if (!along) return;
    const to = { ...app.plane, [along]: app.plane[along] + 1 };
    const image = app.image;
    if ((await app.ask("copy-strokes", { ...here(), to })) !== undefined) app.goTo(image, to);
  });
  const groups = el("button", {
    id: "groups", type: "button", text: "Groups…", onclick: () => showGroups(app),
    title: "Finds pixels that look alike, without strokes, and takes a group as strokes of the chosen class",
  });
  app.addEventListener("change", () => {
    groups.disabled = !app.current;
    const along = axis();
    const name = app.state?.classes.find(({ label }) => label === app.label)?.name ?? "class";
    plane.textContent = along ? "Clear this plane" : "Clear all";
    one.textContent = `Clear ${name.length > 14 ? `${name.slice(0, 12)}…` : name}`;
    copy.textContent = along === "t" ? "Copy to the next time" : "Copy to the next plane";
    copy.hidden = !along || app.plane[along] + 1 >= (sizes()[along] ?? 1);
    plane.disabled = one.disabled = !app.current;
  });
  return group("Strokes", el("div", { class: "buttons" }, plane, one, copy, groups));
}

/**
 * @param {App} app
 * @param {() => void} paintHereNext
 */
function trainGroup(app, paintHereNext) {
  const mode = segmented(
    "When to train",
    { live: "Live", demand: "On demand", paused: "Paused" },
    (name) => app.ask("mode", { mode: name }),
  );
  const on = segmented(
    "Train on",
    { all: "All images", image: "This image" },
    (name) => app.ask("training", { on: name }),
  );
  const train = el("button", {
    class: "first", type: "button", id: "train", text: "Train now", title: "T",
    onclick: () => (app.state?.working ? app.ask("cancel") : trainNow(app)),
  });
  const next = el(
    "button",
    { type: "button", title: "Show the most uncertain place without strokes (N)", onclick: paintHereNext },
    icon("target"),
    "Paint here next",
  );
  app.addEventListener("change", () => {
    const { state } = app;
    if (!state) return;
    mode.show(state.mode);
    on.show(state.trainOn);
    on.made.hidden = state.images.length < 2;
    train.textContent = state.working ? "Stop" : "Train now";
    train.disabled = Boolean(state.lacking) && !state.working;
    train.title = state.lacking || "T";
    /** @type {HTMLButtonElement} */ (next).disabled = !state.trained;
  });
  return group("Training", mode.made, on.made, el("div", { class: "buttons" }, train, next));
}

/**
 * Train now, or say what is to be painted first.
 * @param {App} app
 */
export function trainNow(app) {
  const { lacking = "" } = app.state ?? {};
  if (lacking) notice("Paint at least two classes first.", "plain", { key: "lacking" });
  else app.ask("train");
}

/** @param {App} app */
function overlayGroup(app) {
  const kind = segmented(
    "What of the result is shown",
    { labels: "Classes", probability: "Probability", uncertainty: "Uncertainty", none: "None" },
    (name) => app.look({ overlay: name }),
  );
  const style = segmented(
    "How classes are drawn",
    { filled: "Filled", outlines: "Outlines", hatched: "Hatched" },
    (name) => app.look({ style: name }),
  );
  const grey = tick("Image in grey", (on) => app.look({ grey: on }));
  grey.made.title = "So that the colours of the classes do not mix with those of the image";
  const which = el("select", {
    "aria-label": "Class whose probability is shown",
    onchange: (/** @type {Event} */ event) => {
      app.probability = Number(/** @type {HTMLSelectElement} */ (event.target).value);
      app.changed();
    },
  });
  const whichRow = el("label", { class: "field" }, "Class", which);
  const opacity = slider({
    title: "Opacity", low: 0, high: 1, step: 0.05,
    words: (value) => `${Math.round(value * 100)} %`,
    change: (value) => app.look({ opacity: value }),
  });
  const faint = slider({
    title: "This class", low: 0, high: 1, step: 0.05,
    words: (value) => `${Math.round(value * 100)} %`,
    change: (value) => {
      app.faint.set(app.label, value);
      app.changed();
    },
    help: "How opaque the results of the class are that is chosen, compared with the others",
  });
  app.addEventListener("change", () => {
    const { overlay } = app.view;
    faint.made.hidden = overlay !== "labels";
    faint.show(app.faint.get(app.label) ?? 1);
    kind.show(overlay);
    style.show(app.view.style);
    style.made.hidden = overlay !== "labels";
    grey.show(app.view.grey);
    opacity.show(app.view.opacity);
    whichRow.hidden = overlay !== "probability";
    rebuild(which, app.state?.classes, () =>
      (app.state?.classes ?? []).map((one) => el("option", { value: one.label, text: one.name })),
    );
    which.value = String(app.probability);
  });
  return group("Result", kind.made, style.made, whichRow, opacity.made, faint.made, grey.made);
}
