// Making elements, in one line each.

const SVG = "http://www.w3.org/2000/svg";

/** The icons, drawn on a grid of 20: one path each, stroked. */
const ICONS = {
  pan: "M10 2v16M2 10h16M10 2 7.5 4.5M10 2l2.5 2.5M10 18l-2.5-2.5M10 18l2.5-2.5M2 10l2.5-2.5M2 10l2.5 2.5M18 10l-2.5-2.5M18 10l-2.5 2.5",
  brush: "M17.5 2.5c-4 1.5-8 5.5-10 9l1 1c3.5-2 7.5-6 9-10zM7 12c-2.5 0-3.5 1.5-3.5 3 0 1-.5 1.8-1.5 2.5 3.5.5 6.5-.5 6.5-3.5",
  eraser: "M8 17h9M3.5 12.5l8.5-9 5 5-8 8.5H7zM8 8l5 5",
  polygon: "M4 8l6-5 7 4-2 9-9 1zM4 8h.01M10 3h.01M17 7h.01M15 16h.01M6 17h.01",
  follow: "M3 16c2-6 5 0 7-5s3-5 4-5M16 4.5a1.5 1.5 0 1 1 0 .01z",
  wand: "M3 17 11.5 8.5M9.5 6.5l4 4M14 2v3M12.5 3.5h3M17 8v3M15.5 9.5h3M6.5 3v2.5M5.2 4.2h2.6",
  bucket: "M8.5 3 15.5 10 9 16.5a1.5 1.5 0 0 1-2 0L2.8 12.3a1.5 1.5 0 0 1 0-2zM3 11h12M17 12c1 1.8 1.5 2.5 1.5 3.3a1.5 1.5 0 0 1-3 0c0-.8.5-1.5 1.5-3.3z",
  remove: "M2.5 16c2-6 4.5 1 7-4.5M12 3.5l5 5M17 3.5l-5 5",
  undo: "M6.5 4 3 7.5 6.5 11M3 7.5h8.5a4.5 4.5 0 0 1 0 9H8",
  redo: "M13.5 4 17 7.5 13.5 11M17 7.5H8.5a4.5 4.5 0 0 0 0 9H12",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  theme: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M10 14.5v.01M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15z",
  close: "M5 5l10 10M15 5 5 15",
  grid: "M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z",
  plus: "M10 4v12M4 10h12",
  target: "M10 2v4M10 14v4M2 10h4M14 10h4M10 5a5 5 0 1 1 0 10 5 5 0 0 1 0-10z",
  eye: "M2 10c2-4 5-5.5 8-5.5s6 1.5 8 5.5c-2 4-5 5.5-8 5.5S4 14 2 10zM10 7.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z",
  hidden: "M3 3l14 14M8 5c.6-.3 1.3-.5 2-.5 3 0 6 1.5 8 5.5-.7 1.4-1.5 2.5-2.4 3.3M13 14.8c-1 .5-2 .7-3 .7-3 0-6-1.5-8-5.5.9-1.8 2-3.1 3.2-4",
  download: "M10 3v9.5M6 9l4 4 4-4M3.5 16.5h13",
  warning: "M10 3 2 17h16zM10 8v4.5M10 14.8v.01",
};

/**
 * Make an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [props] attributes; "on..." are listeners, "class" and "text" as said
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "text") made.textContent = value;
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  if (props.value !== undefined) /** @type {any} */ (made).value = props.value;
  made.append(.../** @type {(Node | string)[]} */ (children.filter((c) => c || c === "")));
  return made;
}

/**
 * Return an icon.
 * @param {keyof typeof ICONS} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * Return the element with an id that the page certainly has.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element ${id}.`);
  return found;
}

/**
 * Replace what an element holds, unless somebody is typing in it.
 * @param {HTMLElement} parent
 * @param {...(Node | string)} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren(...children);
}
