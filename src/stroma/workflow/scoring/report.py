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
from stroma.io import read_image
from stroma.io.atomic import replaced
from stroma.workflow.scoring.compared import label_values
from stroma.workflow.scoring.evaluate import Evaluation, pairs_of

SIDE = 320
"""Longest side of a picture, in pixels."""

MOST_PICTURES = 24
"""Images that are shown; tables name all."""

BOTH, MISSED, EXTRA, WRONG = (235, 235, 235), (213, 94, 0), (0, 114, 178), (204, 121, 167)
"""Colours of what agrees, what only the truth has, what only the result has, and another class."""

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
    path: str | Path, found: Evaluation, results: Any, truth: Any, *, title: str = ""
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
    """
    target = Path(path)
    heading = title or f"Quality control: {found.kind}"
    parts = [
        f"<h1>{_text(heading)}</h1>",
        f"<p>{len(found.images)} images. Results: {_text(results)}. Truth: {_text(truth)}. "
        f"Written by Stroma {stroma.__version__}.</p>",
        "<h2>All together</h2>",
        _table(("score", "value"), [(k, _number(v)) for k, v in found.overall.items()]),
        "<h2>Image by image</h2>",
        _per_image(found),
        *_shown(found, results, truth),
    ]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(heading)}</title>'
        f"<style>{STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )
    with replaced(target) as new:
        Path(new).write_text(page, encoding="utf-8", errors="replace")  # names that are no text
    return target


def _per_image(found: Evaluation) -> str:
    """Return the table of all images; the worst by the first score is marked."""
    heads = list(dict.fromkeys(k for one in found.images for k in one if k != "name"))
    first = [one.get(heads[0]) for one in found.images] if heads else []
    known = [v for v in first if v is not None]
    marked = [v is not None and len(known) > 1 and v == min(known) for v in first]
    rows = [[one["name"], *(_number(one.get(h)) for h in heads)] for one in found.images]
    return _table(["image", *heads], rows, marked)


def _shown(found: Evaluation, results: Any, truth: Any) -> Iterator[str]:
    """Yield pictures of every image, if they are of a kind that has some."""
    draw = PICTURES.get(found.kind)
    if draw is None:
        return
    yield "<h2>Pictures</h2><p>Middle planes. In the error map light is right, "
    yield "orange is missed, blue is found where nothing is, pink is another class.</p>"
    pairs = list(zip(*pairs_of(results, truth, kind=found.kind), strict=True))
    for result, true in pairs[:MOST_PICTURES]:
        yield f"<h3>{_text(result.name)}</h3>"
        for caption, picture in draw(result, true):
            data = base64.b64encode(_png(picture)).decode("ascii")
            yield f'<figure><img alt="{_text(caption)} of {_text(result.name)}" '
            yield f'src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    if len(pairs) > MOST_PICTURES:
        yield f"<p>The first {MOST_PICTURES} of {len(pairs)} images are shown.</p>"


def _of_labels(result: Path, true: Path) -> Iterator[tuple[str, Picture]]:
    found, known = _small(_middle(label_values(result))), _small(_middle(label_values(true)))
    yield "result", _coloured(found)
    yield "truth", _coloured(known)
    yield "errors", _errors(found, known, classes=True)


def _of_objects(result: Path, true: Path) -> Iterator[tuple[str, Picture]]:
    found, known = _small(_middle(label_values(result))), _small(_middle(label_values(true)))
    yield "result", _coloured(found)
    yield "truth", _coloured(known)
    yield "errors", _errors(found, known, classes=False)


def _of_images(result: Path, true: Path) -> Iterator[tuple[str, Picture]]:
    found, known = (_small(_middle(np.squeeze(read_image(p).read()))) for p in (result, true))
    yield "result", _grey(found)
    yield "truth", _grey(known)
    yield "difference", _grey(np.abs(found.astype(np.float64) - known))


PICTURES: Mapping[str, Callable[[Path, Path], Iterable[tuple[str, Picture]]]] = {
    "classes": _of_labels,
    "objects": _of_objects,
    "images": _of_images,
}
"""What is drawn of a result and its truth, by kind."""


def _middle(values: Plane) -> Plane:
    """Return the middle plane of a stack."""
    flat = np.squeeze(values)
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


def _errors(found: Plane, known: Plane, *, classes: bool) -> Picture:
    picture = np.full((*known.shape, 3), BOTH, np.uint8)
    picture[(known > 0) & (found == 0)] = MISSED
    picture[(known == 0) & (found > 0)] = EXTRA
    if classes:
        picture[(known > 0) & (found > 0) & (found != known)] = WRONG
    return picture


def _grey(plane: Plane) -> Picture:
    low, high = np.percentile(plane, (1, 99))
    grey = np.clip((plane - low) / max(float(high - low), 1e-12), 0, 1) * 255
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


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
