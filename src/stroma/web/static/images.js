// All images at a glance: small pictures to choose from, and what was done on each.

import { openDialog, theDialog } from "./dialog.js";
import { byId, el, fill, icon } from "./dom.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./types.js").Img} Img */
/** @typedef {{key: string, painted: number, state: "current" | "older" | "absent", failed: string}} Done */

const ALL = "all";
/** @type {Record<string, {title: string, fits: (image: Img, done: Done | undefined) => boolean}>} */
const FILTERS = {
  [ALL]: { title: "All", fits: () => true },
  unpainted: { title: "Not painted", fits: (_, done) => !done?.painted },
  painted: { title: "Painted", fits: (_, done) => Boolean(done?.painted) },
  failed: { title: "Failed", fits: (_, done) => Boolean(done?.failed) },
  todo: { title: "To do", fits: (image) => !image.mark },
  accepted: { title: "Accepted", fits: (image) => image.mark === "accepted" },
  skipped: { title: "Skipped", fits: (image) => image.mark === "skipped" },
  missing: { title: "Missing", fits: (image) => image.missing },
};

/** @type {Record<string, {title: string, of: (image: Img, done: Done | undefined) => string | number}>} */
const ORDERS = {
  opened: { title: "as opened", of: () => 0 },
  name: { title: "by name", of: ({ name }) => name.toLowerCase() },
  painted: { title: "most painted first", of: (_, done) => -(done?.painted ?? 0) },
  size: { title: "largest first", of: ({ height, width }) => -height * width },
};

/**
 * Show the images with a button, which is of use where there are several.
 * @param {App} app
 */
export function showImagesButton(app) {
  const button = /** @type {HTMLButtonElement} */ (byId("all-images"));
  button.append(icon("grid"));
  button.addEventListener("click", () => showImages(app));
  app.addEventListener("change", () => {
    button.disabled = (app.state?.images.length ?? 0) < 2;
  });
}

/**
 * Open the overview.
 * @param {App} app
 */
export async function showImages(app) {
  if ((app.state?.images.length ?? 0) < 2) return;
  const find = el("input", { type: "text", placeholder: "Find by name", "aria-label": "Find by name" });
  const cards = el("div", { class: "cards" });
  /** @type {Map<string, Done>} */
  const done = new Map();
  let filter = ALL;
  const order = el(
    "select", { id: "images-order", "aria-label": "Order" },
    ...Object.entries(ORDERS).map(([value, { title }]) => el("option", { value, text: title })),
  );
  const show = () => {
    const images = (app.state?.images ?? []).filter(
      (one) => one.name.toLowerCase().includes(find.value.toLowerCase()) && FILTERS[filter].fits(one, done.get(one.key)),
    );
    const of = (/** @type {Img} */ one) => ORDERS[order.value].of(one, done.get(one.key));
    images.sort((a, b) => compared(of(a), of(b)));
    const none = el("p", { class: "quiet", text: "No image is like that." });
    fill(cards, ...(images.length ? images.map((one) => card(app, one, done.get(one.key), chooser.show)) : [none]));
    chooser.show();
  };
  const chooser = chosenRow(app, () => [...cards.querySelectorAll("[data-key]")].map((one) => one.getAttribute("data-key") ?? ""), () => show());
  const buttons = Object.entries(FILTERS).map(([name, { title }]) =>
    el("button", {
      type: "button", text: title, "aria-pressed": String(name === filter),
      onclick: (/** @type {Event} */ event) => {
        filter = name;
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === event.currentTarget));
        show();
      },
    }),
  );
  find.addEventListener("input", show);
  order.addEventListener("change", show);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") cards.querySelector("button")?.click();
  });
  openDialog("Images", el("div", { class: "seek" }, find, el("div", { class: "choice", role: "group", "aria-label": "Which" }, ...buttons), order), chooser.made, cards);
  theDialog().classList.add("broad");
  theDialog().addEventListener("close", () => theDialog().classList.remove("broad"), { once: true });
  show();
  cards.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  find.focus();
  for (const one of /** @type {Done[]} */ ((await app.ask("overview", {})) ?? [])) done.set(one.key, one);
  if (order.value !== "opened" || filter !== ALL) show();
  for (const one of app.state?.images ?? []) mark(cards, one, done.get(one.key));
}

/**
 * Compare for sorting; numbers within names count as numbers.
 * @param {string | number} a
 * @param {string | number} b
 */
function compared(a, b) {
  return typeof a === "number" ? a - Number(b) : a.localeCompare(String(b), undefined, { numeric: true });
}

/**
 * What can be done with the images that are chosen.
 * @param {App} app
 * @param {() => string[]} listed images that are listed at present
 * @param {() => void} again lists them again
 */
function chosenRow(app, listed, again) {
  const said = el("span", { class: "grow quiet", role: "status" });
  const choose = (/** @type {string[]} */ keys) => () => {
    app.choose(keys.length ? [...app.chosen, ...keys] : []);
    again();
  };
  const all = el("button", { type: "button", text: "Choose all listed", onclick: () => choose(listed())() });
  const none = el("button", { type: "button", text: "Choose none", onclick: choose([]) });
  const go = el("button", {
    class: "first", type: "button", id: "export-chosen", text: "Export…",
    title: "Segment the chosen images and write the results", onclick: () => {
      theDialog().close();
      byId("tab-results").click();
    },
  });
  const show = () => {
    const count = app.chosenImages.length;
    said.textContent = count ? `${count} chosen` : "Tick images to do something with all of them.";
    go.disabled = none.disabled = !count;
  };
  return { made: el("div", { class: "seek chosen" }, said, all, none, go), show };
}

/**
 * @param {App} app
 * @param {Img} image
 * @param {Done | undefined} done
 * @param {() => void} show called when it was chosen, or not any more
 */
function card(app, image, done, show) {
  const size = `${image.width} × ${image.height}${planes(image)}`;
  const made = el(
    "button",
    {
      type: "button", class: "card", title: image.name, "data-key": image.key,
      "aria-current": image.key === app.image && "true",
      onclick: () => {
        app.goTo(image.key);
        theDialog().close();
      },
    },
    el("span", { class: "picture" }, el("img", { loading: "lazy", alt: "", src: address(app, image) })),
    el("strong", { text: image.name }),
    el("span", { class: "quiet", text: size }),
    el("span", { class: "marks" }),
  );
  fill(/** @type {HTMLElement} */ (made.lastElementChild), ...marks(image, done));
  const choose = el("input", {
    type: "checkbox", checked: app.chosen.has(image.key), "aria-label": `Choose ${image.name}`,
    onchange: () => {
      const keys = new Set(app.chosen);
      if (!keys.delete(image.key)) keys.add(image.key);
      app.choose(keys);
      show();
    },
  });
  return el("div", { class: "pick" }, made, choose);
}

/** @param {Img} image */
function planes({ outer }) {
  return Object.entries(outer).map(([axis, n]) => `, ${n} ${axis === "t" ? "times" : "planes"}`).join("");
}

/**
 * @param {App} app
 * @param {Img} image
 */
function address(app, image) {
  const shown = (image.display.channels ?? []).flatMap(({ on, low, high, color }, i) =>
    on ? [`c=${i}:${low}:${high}:${color.slice(1)}`] : [],
  );
  return `/images/${encodeURIComponent(image.key)}/small?v=${app.state?.epoch}&${shown.join("&")}`;
}

/**
 * Say on a card that is shown what was done on its image.
 * @param {HTMLElement} cards
 * @param {Img} image
 * @param {Done | undefined} done
 */
function mark(cards, image, done) {
  const place = cards.querySelector(`[data-key="${CSS.escape(image.key)}"] .marks`);
  if (place instanceof HTMLElement) fill(place, ...marks(image, done));
}

/**
 * @param {Img} image
 * @param {Done | undefined} done
 * @returns {Node[]}
 */
function marks(image, done) {
  const said = [];
  if (image.missing) said.push(["bad", "missing"]);
  if (image.mark) said.push([image.mark === "accepted" ? "good" : "warn", image.mark]);
  if (done?.painted) said.push(["painted", "painted"]);
  if (done?.state === "current") said.push(["good", "segmented"]);
  if (done?.failed) said.push(["bad", "failed"]);
  if (done?.state === "older") said.push(["warn", "older than strokes"]);
  const why = { failed: done?.failed };
  return said.map(([kind, text]) => el("span", { class: "mark", title: why[/** @type {"failed"} */ (text)] }, el("span", { class: `dot ${kind}` }), text));
}
