// The panel "Model": which features, which classifier, and how good they are.

import { confirmed } from "./dialog.js";
import { el } from "./dom.js";
import { notice } from "./notices.js";
import { group, rebuild, slider } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Field} Field */

/** @param {App} app */
export function modelPanel(app) {
  const features = el("div", { class: "fields" });
  const classifier = el("div", { class: "fields" });
  app.addEventListener("change", () => {
    showFields(app, features, app.state?.features ?? []);
    showFields(app, classifier, app.state?.classifier ?? []);
  });
  return el(
    "div",
    { class: "panel" },
    group("Features", aliasField(app), features),
    group("Classifier", classifier),
    qualityGroup(app),
  );
}

/** @param {App} app */
function qualityGroup(app) {
  const shown = el("div", { class: "fields", id: "quality" });
  const ask = async (
    /** @type {string} */ question,
    /** @type {(found: any) => Node[]} */ show,
  ) => {
    for (const button of buttons) button.disabled = true;
    const found = await app.ask(question);
    for (const button of buttons) button.disabled = false;
    if (!found) return;
    shown.replaceChildren(...show(found));
    shown.scrollIntoView({ block: "nearest" });
  };
  const button = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ run) =>
    el("button", { type: "button", text, title, onclick: run });
  const buttons = [
    button("Accuracy", "Trains on four fifths of the strokes, and asks the rest, five times", () =>
      ask("validate", (found) => accuracy(app, found)),
    ),
    button("Features", "Which features the classifier asks most", () => ask("importance", bars)),
    button("Compare extractors", "Accuracy and time of every configuration, on your strokes", () =>
      ask("compare", comparison),
    ),
  ];
  app.addEventListener("change", () => {
    for (const one of buttons) one.disabled = !app.state?.trained;
  });
  return group("How good it is", el("div", { class: "buttons" }, ...buttons), shown);
}

/**
 * Show a cross-validation: the share that is right, and what is taken for what.
 * @param {App} app
 * @param {{accuracy: number | null, labels: number[], confusion: number[][], untested: number[], range: (number | null)[]}} found
 */
function accuracy(app, { accuracy: share, labels, confusion, untested, range: [low, high] }) {
  const name = (/** @type {number} */ label) =>
    app.state?.classes.find((one) => one.label === label)?.name ?? String(label);
  const wrong = confusion
    .flatMap((row, i) => row.map((count, j) => ({ count, from: labels[i], to: labels[j] })))
    .filter(({ count, from, to }) => count > 0 && from !== to)
    .sort((a, b) => b.count - a.count)
    .slice(0, 4);
  return [
    el("p", { class: "large", text: share === null ? "-" : percent(share) }),
    el("p", {
      class: "note",
      text: `of the strokes is recognised by a model that was not shown them. In three of four images we tried, the share of the whole image was in such a range: ${percent(low ?? 0)} to ${percent(high ?? 1)}. Places that no stroke is like are not in it.`,
    }),
    ...untested.map((label) =>
      el("p", { class: "note", text: `${name(label)} has too few separate strokes to tell; paint three or more.` }),
    ),
    ...wrong.map(({ count, from, to }) =>
      el("p", { class: "note", text: `${count} px of ${name(from)} taken for ${name(to)}` }),
    ),
  ];
}

/** @param {[string, number][]} found */
function bars(found) {
  const largest = Math.max(...found.map(([, share]) => share), 1e-9);
  const rows = found.slice(0, 12).flatMap(([name, share]) => [
    el("span", { text: name, title: name }),
    el("progress", { max: largest, value: share, "aria-label": `${name}: ${percent(share)}` }),
  ]);
  return [el("div", { class: "bars" }, ...rows)];
}

/** @param {{alias: string, accuracy: number | null, tied: boolean, seconds: number | null, problem: string}[]} found */
function comparison(found) {
  const heads = ["Extractor", "Accuracy", "s / Mpx"].map((text) => el("th", { text, scope: "col" }));
  const rows = found.map(({ alias, accuracy: share, tied, seconds, problem }) =>
    el(
      "tr",
      { title: problem || null },
      el("td", { text: alias }),
      el("td", { text: share === null ? "-" : percent(share) + (tied ? ", as good" : "") }),
      el("td", { text: seconds === null ? "-" : seconds.toFixed(1) }),
    ),
  );
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
  const untried = found.filter(({ problem }) => problem);
  if (!untried.length) return [table];
  const reasons = untried.map(({ alias, problem }) => el("p", { class: "note", text: `${alias}: ${problem}` }));
  const title = `Why ${untried.length} could not be tried`;
  return [table, el("details", {}, el("summary", { text: title }), el("div", {}, ...reasons))];
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** @param {App} app */
function aliasField(app) {
  const select = el("select", {
    id: "alias",
    title: "What the classifier sees of the image",
    onchange: async () => {
      const { value } = select;
      if (await isAtHand(app, value, select.selectedOptions[0]?.text ?? value)) {
        await app.ask("alias", { alias: value });
      } else select.value = app.state?.alias ?? "";
    },
  });
  app.addEventListener("change", () => {
    const { state } = app;
    if (!state) return;
    rebuild(select, state.aliases, () =>
      state.aliases.map(({ value, title }) => el("option", { value, text: title })),
    );
    select.value = state.alias;
  });
  return el("label", { class: "field" }, "Extractor", select);
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

/**
 * @param {App} app
 * @param {HTMLElement} parent
 * @param {Field[]} fields
 */
function showFields(app, parent, fields) {
  rebuild(parent, fields, () => fields.map((field) => control(app, field)));
}

/**
 * @param {App} app
 * @param {Field} field
 */
function control(app, field) {
  const set = (/** @type {any} */ value) => app.ask("params", { values: { [field.name]: value } });
  if (field.choices.length) return choice(field, set);
  const { title, low, high, step, help, value } = field;
  const made = slider({ title, low, high, step, help, change: () => {}, settle: set });
  made.show(value);
  made.made.querySelector("input")?.setAttribute("data-key", field.name);
  return made.made;
}

/**
 * @param {Field} field
 * @param {(value: any) => void} set
 */
function choice({ name, title, help, choices, value }, set) {
  const select = el(
    "select",
    {
      title: help,
      "data-key": name,
      onchange: (/** @type {Event} */ event) =>
        set(choices[/** @type {HTMLSelectElement} */ (event.target).selectedIndex].value),
    },
    ...choices.map((one) => el("option", { text: one.title })),
  );
  select.selectedIndex = choices.findIndex(
    (one) => JSON.stringify(one.value) === JSON.stringify(value),
  );
  return el("label", { class: "field" }, title, select);
}
