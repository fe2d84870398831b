"""All objects of an image, found by an engine for prompts without being told where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.merge import Groups, same_objects
from stroma.data.image import Image
from stroma.errors import ParameterError, ShapeError
from stroma.prompts import build
from stroma.prompts.contract import PromptedSegmenter
from stroma.prompts.everything import Everything, everything
from stroma.prompts.pixels import pixels_of

TILE, HALO = 1024, 128
"""Pixels of a part of a plane that is looked at once, and around it."""

Cut = tuple[slice, ...]
"""Rows and columns."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class _Part:
    """Objects of one part: where it lies with its surroundings, and its own inner box."""

    window: Cut
    core: Cut
    labels: NDArray[np.int32]
    first: int


def find_everything(
    image: Image | NDArray[Any],
    *,
    engine: str | PromptedSegmenter = "graph",
    how: Everything | None = None,
    tile: int = TILE,
    halo: int = HALO,
    progress: Progress = lambda done, of: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> NDArray[np.int32]:
    """Return all objects of an image, plane by plane.

    Planes are looked at in parts; an object that two parts see is one.

    Parameters
    ----------
    image : Image or (y, x) array
        One plane, or several (a volume, a movie), each on its own.
    engine : str or PromptedSegmenter
        Name in `stroma.prompts.ENGINES`, or an engine.
    how : Everything, optional
        What counts as an object.
    tile, halo : int
        Pixels of a part, and around it; objects up to the halo are found whole.
    progress : callable
        Told how many of how many parts are done.
    cancelled : callable
        Asked on the way.

    Returns
    -------
    (*axes) int32
        The image's axes without channels; from 1, 0 is no object. No number is on two planes.

    Raises
    ------
    ParameterError
        If the engine does not work on planes.
    Cancelled
        If it was.
    """
    known = image if isinstance(image, Image) else _image_of(image)
    made = build.engine(engine) if isinstance(engine, str) else engine
    if "yx" not in made.axes:
        raise ParameterError(
            "This engine works in volumes alone, and all objects of planes are looked for."
        )
    if tile < 64 or halo < 0:
        raise ParameterError(f"Parts have at least 64 pixels a side, got {tile} and halo {halo}.")
    axes = known.kept_axes.replace("c", "")
    result = np.zeros(tuple(known.sizes[a] for a in axes), np.int32)
    outer = [a for a in axes if a not in "yx"]
    places = list(product(*(range(known.sizes[a]) for a in outer)))
    parts = _parts((known.sizes["y"], known.sizes["x"]), tile, halo)
    for number, place in enumerate(places):
        plane = known.at(**dict(zip(outer, place, strict=True)))
        done = number * len(parts)

        def tell(of: int, done: int = done) -> None:
            progress(done + of, len(places) * len(parts))

        found = _plane(plane, made, parts, how=how, tell=tell, cancelled=cancelled)
        result[place] = np.where(found > 0, found + result.max(initial=0), 0)
    return result


def _plane(
    plane: Image,
    engine: PromptedSegmenter,
    parts: Sequence[tuple[Cut, Cut]],
    *,
    how: Everything | None,
    tell: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> NDArray[np.int32]:
    """Return the objects of one plane."""
    groups, seen = Groups(1), list[_Part]()
    for number, (core, window) in enumerate(parts):
        tell(number)
        values, rgb = pixels_of(plane, {"y": window[0], "x": window[1]})
        engine.set_image(values, rgb=rgb)
        shape = values.shape[1], values.shape[2]
        labels = everything(engine, shape, how=how, cancelled=cancelled)
        first = groups.add(int(labels.max(initial=0))) - 1
        part = _Part(window, core, labels, first)
        for other in seen:
            for a, b in _same(other, part):
                groups.join(other.first + a, first + b)
        seen.append(part)
    tell(len(parts))
    return _put_together(seen, groups, (plane.sizes["y"], plane.sizes["x"]))


def _put_together(
    seen: Sequence[_Part], groups: Groups, shape: tuple[int, int]
) -> NDArray[np.int32]:
    found = np.zeros(shape, np.int64)
    for part in seen:
        own = part.labels[_within(part.core, part.window)]
        found[part.core] = np.where(own > 0, own + part.first, 0)
    used = np.zeros(len(groups), bool)
    used[np.unique(found)] = True
    return groups.table(used)[found].astype(np.int32)


def _same(one: _Part, other: _Part) -> list[tuple[int, int]]:
    """Return which objects of two parts are the same: where the cores meet, they overlap."""
    both = _common(one.window, other.window)
    face = _common(_grown(one.core), _grown(other.core))
    if both is None or face is None or (inner := _common(face, both)) is None:
        return []
    return same_objects(
        one.labels[_within(both, one.window)],
        other.labels[_within(both, other.window)],
        _within(inner, both),
    )


def _grown(box: Cut) -> Cut:
    return tuple(slice(s.start - 1, s.stop + 1) for s in box)


def _common(one: Cut, other: Cut) -> Cut | None:
    rows, columns = (
        slice(max(a.start, b.start, 0), min(a.stop, b.stop))
        for a, b in zip(one, other, strict=True)
    )
    empty = rows.start >= rows.stop or columns.start >= columns.stop
    return None if empty else (rows, columns)


def _within(box: Cut, of: Cut) -> Cut:
    rows, columns = (
        slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, of, strict=True)
    )
    return rows, columns


def _parts(shape: tuple[int, int], tile: int, halo: int) -> list[tuple[Cut, Cut]]:
    """Return cores that cover a plane, and what is looked at for each."""
    cores = product(*(list(_cuts(n, tile)) for n in shape))
    return [
        (
            core,
            (
                slice(max(0, core[0].start - halo), min(shape[0], core[0].stop + halo)),
                slice(max(0, core[1].start - halo), min(shape[1], core[1].stop + halo)),
            ),
        )
        for core in cores
    ]


def _cuts(length: int, tile: int) -> Iterator[slice]:
    count = max(1, -(-length // tile))
    edges = np.rint(np.linspace(0, length, count + 1)).astype(int).tolist()
    yield from (slice(a, b) for a, b in pairwise(edges))


def _image_of(values: NDArray[Any]) -> Image:
    found = np.asarray(values)
    if found.ndim != 2:
        raise ShapeError(
            f"An array is (y, x), got shape {found.shape}. Name the axes of others: "
            "stroma.Image(array, 'cyx')."
        )
    return Image(found, "yx")
