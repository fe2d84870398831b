"""Quality control as one page: scores in tables, and results beside the truth in pictures."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stroma
from stroma.data.classes import MOST_COLORS, Class, color_of
from stroma.data.outlines import inner_edges
from stroma.io import read_image
from stroma.io.atomic import replaced
from stroma.metrics.detection import matches
from stroma.metrics.instances import overlaps, unmatched
from stroma.workflow.scoring.compared import label_values, points_in, restored_in
from stroma.workflow.scoring.evaluate import CUTOFF, Evaluation, pairs_of

SIDE = 320
"""Longest side of a picture, in pixels."""

MOST_PICTURES = 24
"""Images that are shown; tables name all."""

BOTH, MISSED, EXTRA, WRONG = (235, 235, 235), (213, 94, 0), (0, 114, 178), (204, 121, 167)
"""Colours of what agrees, what only the truth has, what only the result has, and another class."""

MATCHED, LINE = (190, 190, 190), (90, 90, 90)
"""Colours of objects and points that are right, and of true outlines."""

DOT = 2
"""Half the side of a point, in pixels of the picture."""

MOST_ENLARGED = 4.0
"""Pictures of points that lie in a small image are not made larger than that."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ccc; text-align: right }
th:first-child, td:first-child { text-align: left }
figure { display: inline-block; margin: .3rem } figcaption { font-size: 13px }
img { image-rendering: pixelated; max-width: 100% } .worst { background: #fff3e0 }
"""

Plane = NDArray[Any]
Picture = NDArray[np.uint8]


def write_report(
    path: str | Path,
    found: Evaluation,
    results: Any,
    truth: Any,
    *,
    title: str = "",
    cutoff: float = CUTOFF,
) -> Path:
    """Write scores and pictures as one HTML file, which needs no other file.

    Parameters
    ----------
    path : str or Path
        The file.
    found : Evaluation
        From `stroma.workflow.scoring.evaluate.evaluate`.
    results, truth
        What was compared, as given there.
    title : str
        Heading of the page.
    cutoff : float
        How far a point may be from a true one to be it, in pixels.
    """
    target = Path(path)
    heading = title or f"Quality control: {found.kind}"
    parts = [
        f"<h1>{_text(heading)}</h1>",
        f"<p>{len(found.images)} images. Results: {_text(results)}. Truth: {_text(truth)}. "
        f"Written by Stroma {stroma.__version__}.</p>",
        "<h2>All together</h2>",
        _table(
            ("score", "value", "spread"),
            [(k, _number(v), _number(found.spread.get(k))) for k, v in found.overall.items()],
        ),
        "<h2>Image by image</h2>",
        _per_image(found),
        *_shown(found, results, truth, cutoff),
    ]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(heading)}</title>'
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    with replaced(target) as new:
        Path(new).write_text(page, encoding="utf-8", errors="replace")  # names that are no text
    return target


def _per_image(found: Evaluation) -> str:
    """Return the table of all images; the worst is marked."""
    heads = list(dict.fromkeys(k for one in found.images for k in one if k != "name"))
    scores = [_score(one, found.kind) for one in found.images]
    known = [v for v in scores if v is not None]
    marked = [v is not None and len(known) > 1 and v == min(known) for v in scores]
    rows = [[one["name"], *(_number(one.get(h)) for h in heads)] for one in found.images]
    return _table(["image", *heads], rows, marked)


def _score(one: Mapping[str, Any], kind: str) -> float | None:
    """Return how good an image is: the mean IoU of its classes, or its first score."""
    values = [v for k, v in one.items() if k != "name" and (kind != "classes" or k[:4] == "iou ")]
    if kind != "classes":
        return values[0] if values else None
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _worst_first(found: Evaluation) -> list[int]:
    """Return the places of images, the worst first; those without a score last."""
    scores = [_score(one, found.kind) for one in found.images]
    return sorted(range(len(scores)), key=lambda i: np.inf if (v := scores[i]) is None else v)


def _shown(found: Evaluation, results: Any, truth: Any, cutoff: float) -> Iterator[str]:
    """Yield pictures of the worst images, if they are of a kind that has some."""
    draw = PICTURES.get(found.kind)
    if draw is None:
        return
    yield f"<h2>Pictures</h2><p>The worst first. {SAID[found.kind]}</p>"
    pairs = list(zip(*pairs_of(results, truth, kind=found.kind), strict=True))
    for result, true in [pairs[i] for i in _worst_first(found)[:MOST_PICTURES]]:
        yield f"<h3>{_text(result.name)}</h3>"
        for caption, picture in draw(result, true, cutoff):
            data = base64.b64encode(_png(picture)).decode("ascii")
            yield f'<figure><img alt="{_text(caption)} of {_text(result.name)}" '
            yield f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    if len(pairs) > MOST_PICTURES:
        yield f"<p>The {MOST_PICTURES} worst of {len(pairs)} images are shown.</p>"


def _of_labels(result: Path, true: Path, _: float) -> Iterator[tuple[str, Picture]]:
    found, known = _small(_middle(label_values(result))), _small(_middle(label_values(true)))
    yield "result", _coloured(found)
    yield "truth", _coloured(known)
    yield "errors", _errors(found, known)


def _of_objects(result: Path, true: Path, _: float) -> Iterator[tuple[str, Picture]]:
    whole = np.squeeze(label_values(result)), np.squeeze(label_values(true))
    missed, extra = unmatched(overlaps(*whole))
    found, known = (_small(_middle(values)) for values in whole)
    yield "result", _coloured(found)
    yield "truth", _coloured(known)
    wrong = np.isin(found, extra), np.isin(known, missed)
    picture = np.full((*known.shape, 3), BOTH, np.uint8)
    picture[(found > 0) | (known > 0)] = MATCHED
    picture[wrong[0]], picture[wrong[1]] = EXTRA, MISSED
    picture[wrong[0] & wrong[1]] = WRONG
    picture[inner_edges(known)] = LINE
    yield "errors", picture


def _of_images(result: Path, true: Path, _: float) -> Iterator[tuple[str, Picture]]:
    found, known = (_small(_middle(v)) for v in (restored_in(result), read_image(true).read()))
    yield "result", _grey(found)
    yield "truth", _grey(known)
    yield "difference", _grey(np.abs(found.astype(np.float64) - known))


def _of_points(result: Path, true: Path, cutoff: float) -> Iterator[tuple[str, Picture]]:
    found, known = points_in(result), points_in(true)
    which = matches(found, known, cutoff)
    missed = np.delete(known, which[which >= 0], 0)
    groups = ((found[which >= 0], MATCHED), (missed, MISSED), (found[which < 0], EXTRA))
    every = np.concatenate([points[:, -2:] for points, _ in groups])
    sides = every.max(0, initial=0) + 1 if len(every) else np.ones(2)
    scale = min(SIDE / sides.max(), MOST_ENLARGED)
    height, width = (np.ceil(sides * scale)).astype(int) + 2 * DOT
    picture = np.full((height, width, 3), BOTH, np.uint8)
    for points, colour in groups:
        for y, x in np.rint(points[:, -2:] * scale).astype(int).clip(0):
            picture[y : y + 2 * DOT, x : x + 2 * DOT] = colour
    yield "errors", picture


PICTURES: Mapping[str, Callable[[Path, Path, float], Iterable[tuple[str, Picture]]]] = {
    "classes": _of_labels,
    "objects": _of_objects,
    "points": _of_points,
    "images": _of_images,
}
"""What is drawn of a result and its truth, by kind."""

SAID = {
    "classes": "Middle planes. In the error map light is right, orange is missed, blue is found "
    "where nothing is, pink is another class.",
    "objects": "Middle planes. In the error map grey objects are right, orange ones are missed, "
    "blue ones made up; pink is where both lie over each other: parted, joined to another, or of "
    "another outline. Lines are the true outlines.",
    "points": "Points of all planes. Grey ones are right, orange ones are missed, blue ones made "
    "up.",
    "images": "Middle planes.",
}
"""What the colours mean."""


def _middle(values: Plane) -> Plane:
    """Return the middle plane of a stack; a row is a plane too."""
    flat = np.atleast_2d(np.squeeze(values))
    while flat.ndim > 2:
        flat = flat[len(flat) // 2]
    return flat


def _small(plane: Plane) -> Plane:
    """Return every so many pixels of a plane that is larger than a picture."""
    step = -(-max(plane.shape) // SIDE)
    return plane[::step, ::step]


def _coloured(labels: Plane) -> Picture:
    """Return labels in their colours, 0 in black; objects take turns."""
    numbers = np.where(labels > 0, (labels.astype(np.int64) - 1) % MOST_COLORS + 1, 0)
    colours = [(0, 0, 0), *(Class(n, "", color_of(n)).rgb for n in range(1, MOST_COLORS + 1))]
    return np.array(colours, np.uint8)[numbers]


def _errors(found: Plane, known: Plane) -> Picture:
    picture = np.full((*known.shape, 3), BOTH, np.uint8)
    picture[(known > 0) & (found == 0)] = MISSED
    picture[(known == 0) & (found > 0)] = EXTRA
    picture[(known > 0) & (found > 0) & (found != known)] = WRONG
    return picture


def _grey(plane: Plane) -> Picture:
    """Return a plane from black to white; what nobody knows (NaN) is black."""
    known = plane[np.isfinite(plane)]
    low, high = np.percentile(known, (1, 99)) if known.size else (0, 1)
    grey = np.clip((plane - low) / max(float(high - low), 1e-12), 0, 1) * 255
    return np.repeat(np.nan_to_num(grey).astype(np.uint8)[..., None], 3, axis=2)


def _png(picture: Picture) -> bytes:
    from PIL import Image as Drawn

    stream = io.BytesIO()
    Drawn.fromarray(picture).save(stream, "PNG")
    return stream.getvalue()


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()) -> str:
    head = "".join(f"<th>{_text(h)}</th>" for h in heads)
    lines = [
        f"<tr{' class=worst' if i < len(marked) and marked[i] else ''}>"
        + "".join(f"<td>{_text(cell)}</td>" for cell in row)
        + "</tr>"
        for i, row in enumerate(rows)
    ]
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _text(value: Any) -> str:
    return html.escape(str(value))
