// What the user must know, in a place of its own over the image: it goes when its cause has gone.

import { byId, el, icon } from "./dom.js";

const SECONDS = 8;
const SHORT = 320;

/**
 * @typedef {object} Options
 * @property {string} [key] what it is about; a notice about the same takes its place
 * @property {string} [reason] why a question failed; a notice of the same reason takes its place too
 * @property {Node | null} [more] a list, a link or a button
 * @property {() => void} [closed] called when somebody closes it
 */

/**
 * Show a notice. What comes after an empty line, or after the first sentence of a long text, is
 * folded.
 * @param {string} text
 * @param {"bad" | "good" | "plain"} [kind] bad ones stay until they are closed or their cause is gone
 * @param {Options} [options]
 */
export function notice(text, kind = "plain", { key = `${kind} ${text}`, reason, more = null, closed } = {}) {
  const shown = byId("notices");
  const [first, rest] = folded(text);
  const close = () => {
    made.remove();
    closed?.();
  };
  const made = el(
    "div",
    { class: `notice ${kind}`, "data-cause": key, "data-reason": reason },
    kind === "bad" && icon("warning"),
    el("div", { class: "said" }, el("p", { text: first }), rest && details(rest), more),
    el(
      "button",
      { class: "flat", type: "button", "aria-label": "Close", onclick: close },
      icon("close"),
    ),
  );
  const old = about(key, reason);
  if (old.length) old[0].replaceWith(made);
  else shown.append(made);
  for (const one of old.slice(1)) one.remove();
  if (kind !== "bad") goLater(made);
  else if (!old.length) made.scrollIntoView({ block: "nearest" });
}

/**
 * Take a notice away after some time, unless somebody is reading it then.
 * @param {HTMLElement} made
 */
function goLater(made) {
  setTimeout(() => {
    if (!made.isConnected) return;
    if (made.matches(":hover, :focus-within, :has(details[open])")) goLater(made);
    else made.remove();
  }, SECONDS * 1000);
}

/** @param {string} text */
export function details(text) {
  return el("details", {}, el("summary", { text: "Details" }), el("p", { class: "small", text }));
}

/**
 * Split a text into what is shown and what is folded.
 * @param {string} text
 * @returns {[string, string]}
 */
export function folded(text) {
  const gap = text.indexOf("\n\n");
  if (gap > 0) return [text.slice(0, gap), text.slice(gap + 2)];
  if (text.length <= SHORT) return [text, ""];
  const end = /[.!?] (?=\S)/.exec(text.slice(40));
  return end ? [text.slice(0, 41 + end.index), text.slice(42 + end.index)] : [text, ""];
}

/**
 * Take away the notice about something that is in order now.
 * @param {string} key
 */
export function forget(key) {
  for (const old of about(key)) old.remove();
}

/**
 * @param {string} key
 * @param {string} [reason]
 * @returns {HTMLElement[]}
 */
function about(key, reason) {
  const all = /** @type {HTMLElement[]} */ ([...byId("notices").children]);
  return all.filter(({ dataset }) => dataset.cause === key || (reason && dataset.reason === reason));
}

/** @type {Map<string, string>} what holds at present; whoever closes its notice has read it */
const held = new Map();

/**
 * Show a notice as long as there is something to say.
 * @param {string} key
 * @param {string} text empty where all is in order
 */
export function holds(key, text) {
  if ((held.get(key) ?? "") === text) return;
  held.set(key, text);
  if (text) notice(text, "bad", { key });
  else forget(key);
}

/**
 * Show a notice for a while when there is something new to say that a panel says as well, until
 * this browser was told once that it was read.
 * @param {string} key
 * @param {string} text empty where all is in order
 */
export function holdsUnread(key, text) {
  if ((held.get(key) ?? "") === text) return;
  held.set(key, text);
  const place = `stroma.read.${key}`;
  if (text && recalled(place) !== text) notice(text, "plain", { key, closed: () => keep(place, text) });
  else forget(key);
}

/** @param {string} place */
function recalled(place) {
  try {
    return localStorage.getItem(place);
  } catch {
    return null; // storage is switched off
  }
}

/**
 * @param {string} place
 * @param {string} text
 */
function keep(place, text) {
  try {
    localStorage.setItem(place, text);
  } catch {
    // Storage is full or switched off: it is said again when the page is opened anew.
  }
}

/**
 * Show what holds once more.
 * @param {string} key
 */
export function showAgain(key) {
  const text = held.get(key);
  if (text) notice(text, "bad", { key });
}

/**
 * Show the reason why a promise was not kept; it goes as soon as one about the same is kept. Where
 * several fail for the same reason, it is said once.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} key
 * @returns {Promise<T | undefined>} undefined where it was not kept
 */
export async function orNotice(promise, key) {
  try {
    const kept = await promise;
    forget(key);
    return kept;
  } catch (error) {
    const reason = wordsOf(error);
    notice(reason, "bad", { key, reason });
    return undefined;
  }
}

/** @param {unknown} error */
export function wordsOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What became of several files: those that failed with the reason of each.
 * @param {string} title
 * @param {{name: string, error: string}[]} failed
 * @param {string} key
 */
export function report(title, failed, key) {
  if (!failed.length) {
    forget(key);
    return;
  }
  const rows = failed.map(({ name, error }) => el("li", { text: `${name}: ${error}` }));
  notice(title, "bad", { key, more: el("ul", { class: "failed" }, ...rows) });
}
