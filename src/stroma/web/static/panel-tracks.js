// The panel "Tracks": objects over time, corrections by hand, and who came from whom.

import { el, fill } from "./dom.js";
import { showWhile } from "./tasks.js";
import { colourOfFamily, timeAxis } from "./tracks.js";
import { group, tick } from "./widgets.js";

/** @typedef {import("./app.js").App} App */
/** @typedef {import("./tracks.js").Tracks} Tracks */

/** @typedef {{objects: number, tracks: number, divisions: number}} Counted */

/**
 * @typedef {object} Line
 * @property {number} track
 * @property {number} mother 0 for none
 * @property {number} family
 * @property {number} row
 * @property {[number, number]} frames
 */

/** @typedef {{frames: number, count: number, lines: Line[]}} Lineage */

const SVG = "http://www.w3.org/2000/svg";
const SMALLEST = 20;
const ROW = 12;
const WIDTH = 260;
const MARGIN = 8;

/** @typedef {(...frames: number[]) => boolean} Fits whether frames of objects, ascending, will do */

/**
 * Corrections by name: how many objects each takes, of which frames, and what is said of it.
 * @type {Record<string, {count: number, fits: Fits, title: string, help: string}>}
 */
const KINDS = {
  link: { count: 2, fits: (a, b) => a < b, title: "Link", help: "The earlier object becomes the later one" },
  unlink: { count: 2, fits: (a, b) => a < b, title: "Unlink", help: "The earlier object does not become the later one" },
  divide: { count: 3, fits: (a, b) => a < b, title: "Divide", help: "The earliest object divides into the two others" },
  merge: { count: 3, fits: (_, b, c) => b < c, title: "Merge", help: "The two earlier objects become the last one" },
  swap: { count: 2, fits: (a, b) => a === b, title: "Swap", help: "Two objects of one frame exchange what becomes of them" },
  delete: { count: 1, fits: () => true, title: "Delete", help: "The object is none" },
};

/**
 * @param {App} app
 * @param {Tracks} tracks
 * @param {() => void} pick chooses the tool that picks objects
 */
export function tracksPanel(app, tracks, pick) {
  return el("div", { class: "panel" }, trackGroup(app, tracks), correctGroup(app, tracks, pick), lineageGroup(app, tracks));
}

/**
 * @param {App} app
 * @param {Tracks} tracks
 */
function trackGroup(app, tracks) {
  const of = el("select", { id: "track-class", "aria-label": "Class whose parts are tracked" });
  const least = el("input", { type: "number", id: "track-least", min: 1, value: String(SMALLEST), "aria-label": "Smallest part in pixels" });
  const note = el("p", { class: "note", id: "track-note", role: "status" });
  const run = el("button", { type: "button", id: "track-run", text: "Track", onclick: () => start("track") });
  const again = el("button", {
    type: "button", id: "track-again", text: "Link again", onclick: () => start("solve-tracks"),
    title: "Everything but what was corrected",
  });
  let busy = false;
  const start = async (/** @type {string} */ command) => {
    busy = true;
    show();
    const values = { image: app.image, label: Number(of.value), smallest: Math.max(1, Number(least.value) || SMALLEST) };
    await showWhile("Tracking", app.ask(command, values));
    busy = false;
    show();
  };
  let classes = "";
  const show = () => {
    const known = app.state?.classes ?? [];
    const now = JSON.stringify(known);
    if (now !== classes) {
      const chosen = of.value;
      fill(of, ...known.map(({ label, name }) => el("option", { value: String(label), text: name })));
      of.value = known.some(({ label }) => String(label) === chosen) ? chosen : String(known.at(-1)?.label ?? "");
    }
    classes = now;
    run.disabled = busy || !app.state?.trained || !isMovie(app);
    again.disabled = busy || !tracks.known;
    note.textContent = words(app, tracks);
  };
  app.addEventListener("change", show);
  tracks.addEventListener("change", show);
  const shown = tick("Show tails", (on) => app.look({ showTracks: on }));
  app.addEventListener("change", () => shown.show(app.view.showTracks));
  return group(
    "Objects over time",
    el("label", { class: "field" }, "Parts of", of),
    el("label", { class: "field" }, "Smallest (px)", least),
    el("div", { class: "row" }, run, again),
    note,
    shown.made,
  );
}

/** @param {App} app */
function isMovie(app) {
  return (app.current?.outer[timeAxis(app)] ?? 1) > 1;
}

/**
 * @param {App} app
 * @param {Tracks} tracks
 */
function words(app, { shown, known }) {
  if (!isMovie(app)) return "This image is a single frame; tracks need a movie.";
  if (!known && !app.state?.trained) return "Paint and train first: the parts of a class are tracked.";
  if (!known) return "Not tracked yet.";
  return shown ? counted(shown) : "…";
}

/** @param {Counted} found */
function counted({ objects, tracks, divisions }) {
  return `${objects.toLocaleString("en")} objects in ${tracks.toLocaleString("en")} tracks, ${divisions} divisions.`;
}

/**
 * @param {App} app
 * @param {Tracks} tracks
 * @param {() => void} pick
 */
function correctGroup(app, tracks, pick) {
  const note = el("p", { class: "note", id: "track-picked", role: "status" });
  const buttons = Object.entries(KINDS).map(([kind, { count, fits, title, help }]) => {
    const made = el("button", {
      type: "button", id: `track-${kind}`, text: title, title: `${help} (pick ${count})`, onclick: () => tracks.correct(kind),
    });
    return { made, count, fits };
  });
  const followed = el("p", { class: "note", id: "track-followed", role: "status" });
  const none = el("button", { type: "button", id: "track-none", text: "Pick none", onclick: () => tracks.clearPicks() });
  const tool = el("button", { type: "button", id: "track-pick", text: "Pick objects", title: "Click objects on the image (F)", onclick: pick });
  const show = () => {
    const { picked, known } = tracks;
    tool.disabled = !known;
    none.disabled = !picked.length;
    const frames = picked.map(({ frame }) => frame).sort((a, b) => a - b);
    for (const { made, count, fits } of buttons) made.disabled = frames.length !== count || !fits(...frames);
    const named = [...picked].sort((a, b) => a.frame - b.frame).map(({ frame, label }) => `${label} in frame ${frame + 1}`);
    note.textContent = named.length ? `Picked: object ${named.join(", ")}.` : "Nothing is picked. Click objects with the tool.";
  };
  tracks.addEventListener("change", () => {
    show();
    followed.textContent = whereabouts(tracks);
    followed.hidden = !followed.textContent;
  });
  app.addEventListener("change", show);
  return group("Corrections", note, followed, el("div", { class: "buttons" }, tool, none), el("div", { class: "buttons" }, ...buttons.map(({ made }) => made)));
}

/**
 * Say where the track is that is followed; empty for none.
 * @param {Tracks} tracks
 */
function whereabouts({ followed, shown }) {
  if (!followed || !shown) return "";
  const own = shown.tails.find(({ track }) => track === followed);
  const [, y, x] = own?.points.at(-1) ?? [];
  const frame = shown.frame + 1;
  return own ? `Following track ${followed}: in frame ${frame} at ${y}, ${x}.` : `Track ${followed} is not in frame ${frame}.`;
}

/**
 * @param {App} app
 * @param {Tracks} tracks
 */
function lineageGroup(app, tracks) {
  const plot = document.createElementNS(SVG, "svg");
  plot.id = "lineage";
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", "Lineage: tracks over time");
  const note = el("p", { class: "note" });
  /** @type {Lineage | null} */
  let shown = null;
  let asked = "";
  const look = async () => {
    const wanted = JSON.stringify([app.image, tracks.version, tracks.known, app.connected]);
    if (app.view.tab === "tracks" && wanted !== asked && app.connected) {
      asked = wanted;
      /** @type {Lineage | null | undefined} */
      const found = tracks.known ? await app.ask("lineage", { image: app.image, track: tracks.followed }) : null;
      if (wanted !== asked) return;
      if (found === undefined) asked = "";
      shown = found ?? null;
    }
    draw();
  };
  const draw = () => {
    plot.toggleAttribute("hidden", !shown);
    plot.replaceChildren(...(shown ? drawn(shown, tracks) : []));
    const rows = shown ? Math.max(...shown.lines.map(({ row }) => row), 0) + 1 : 1;
    plot.setAttribute("viewBox", `0 0 ${WIDTH} ${2 * MARGIN + ROW * rows}`);
    const more = shown && shown.count > shown.lines.length;
    note.textContent = more ? `${shown?.lines.length} of ${shown?.count} tracks.` : "";
    note.hidden = !more;
  };
  tracks.addEventListener("change", look);
  app.addEventListener("change", look);
  return group("Lineage", plot, note);
}

/**
 * Return the lines of a plot: a track each, forks to daughters, and where the movie is now.
 * @param {Lineage} lineage
 * @param {Tracks} tracks
 */
function drawn({ frames, lines }, tracks) {
  const step = (WIDTH - 2 * MARGIN) / Math.max(1, frames - 1);
  const x = (/** @type {number} */ frame) => MARGIN + step * frame;
  const y = (/** @type {number} */ row) => MARGIN + ROW * (row + 0.5);
  const of = new Map(lines.map((line) => [line.track, line]));
  const now = svg("path", { d: `M${x(tracks.frame)} 0V${y(Math.max(0, ...lines.map(({ row }) => row)) + 0.5)}`, class: "now" });
  const forks = lines.flatMap((line) => {
    const mother = of.get(line.mother);
    if (!mother) return [];
    const d = `M${x(mother.frames[1])} ${y(mother.row)}V${y(line.row)}H${x(line.frames[0])}`;
    return [svg("path", { d, stroke: colourOfFamily(line.family), fill: "none" })];
  });
  const tracksDrawn = lines.map((line) => {
    const [first, last] = line.frames;
    const made = svg("path", {
      d: `M${x(first)} ${y(line.row)}H${Math.max(x(last), x(first) + 2)}`, stroke: colourOfFamily(line.family),
      "stroke-width": line.track === tracks.followed ? "6" : "4", "data-track": String(line.track), class: "track",
    });
    const title = svg("title", {});
    title.textContent = `Track ${line.track}, frames ${first + 1} to ${last + 1}`;
    made.append(title);
    made.addEventListener("click", (event) => {
      const box = /** @type {SVGSVGElement} */ (made.ownerSVGElement).getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * WIDTH;
      tracks.goTo(line.track, Math.round((at - MARGIN) / step));
    });
    return made;
  });
  return [now, ...forks, ...tracksDrawn];
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 */
function svg(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
