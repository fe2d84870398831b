"""Projects of ilastik's pixel classification: HDF5 with images, strokes, classes and features.

The classifier in it is a pickle and is not read; strokes train one of ours. What the groups of
the file mean was seen in projects of versions 1.2 to 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from stroma.data.classes import MAX_LABEL, Class
from stroma.data.image import Image
from stroma.data.strokes import Strokes
from stroma.errors import FormatError, LabelError, ShapeError, StromaError, short
from stroma.io import read_image
from stroma.io.axes import Facts, arrange
from stroma.io.hdf5 import held, lazy, number_of, small, tagged
from stroma.io.lazy import DAMAGE, damaged
from stroma.io.tables import HDF5S
from stroma.zoo.filters import Cell, bank
from stroma.zoo.taken import Picture, Taken, located

NAMES = {
    "GaussianSmoothing": "gaussian",
    "LaplacianOfGaussian": "laplacian",
    "GaussianGradientMagnitude": "gradient",
    "DifferenceOfGaussians": "dog",
    "StructureTensorEigenvalues": "structure",
    "HessianOfGaussianEigenvalues": "hessian",
}
"""ilastik's names of features, and ours."""

CHANNELS_STAY = (1, 3, 3)
"""Version since which blocks of strokes have the axes of their image in its order."""

MAX_PIXELS = 2**33
MAX_CLASSES = 1000
_RANGE = re.compile(r"(\d{1,12}):(\d{1,12})")


@dataclass(frozen=True)
class _Lane:
    """One image of a project."""

    number: int
    path: str
    axes: str
    name: str
    inside: str
    old: bool


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return what is to be had of a project.

    Raises
    ------
    FormatError
        If it is no project of pixel classification, is damaged, or none of its images is found.
    """
    try:
        with h5py.File(path, "r") as file:
            return _taken(file, path, images)
    except StromaError as error:
        if path.name in str(error):
            raise
        raise FormatError(f"{path} cannot be read: {error}.") from error
    except DAMAGE as error:
        raise damaged(path, error) from error


def _taken(file: h5py.File, path: Path, images: Sequence[Path]) -> Taken:
    version, kind = _text(file, "ilastikVersion"), _text(file, "workflowName")
    labels = held(file, "PixelClassification")
    lanes = list(_lanes(file, old=_number(version) < CHANNELS_STAY))
    if not isinstance(labels, h5py.Group) or not lanes:
        raise FormatError(
            f"{path} is no project of ilastik's pixel classification"
            f"{f' (it says {kind!r})' if kind else ''}: it has no images or no strokes."
        )
    classes, left = _classes(labels), []
    pictures = []
    for lane in lanes:
        try:
            pictures.append(_picture(file, lane, classes, path, images))
        except (StromaError, OSError) as error:
            left.append(f"image {lane.name}: {error}")
    if not pictures:
        raise FormatError(f"{path}: none of its images could be opened. {' '.join(left)}")
    volumes = any(picture.image.sizes.get("z", 1) > 1 for picture in pictures)
    param, took, missed = _features(file, volumes)
    painted = sum(p.strokes is not None for p in pictures)
    return Taken(
        path,
        f"ilastik {version}".strip(),
        tuple(pictures),
        classes,
        param,
        (f"{len(pictures)} images, {painted} with strokes", f"{len(classes)} classes", *took),
        (*left, *missed, *_unread(file)),
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(n[:6]) for n in re.findall(r"\d+", version)[:3])


def _unread(file: h5py.File) -> Iterator[str]:
    """Yield what else a project holds that is not taken over."""
    groups = file["PixelClassification"]
    if any(name.startswith("Classifier") for name in groups):
        yield "classifier: it is Python code; one of ours is trained on the strokes instead"
    infos = held(file, "Input Data/infos")
    if any(_text(infos, f"{lane}/Prediction Mask/filePath") for lane in infos):
        yield "prediction masks: give them when you segment (mask=)"
    for other in ("ObjectExtraction", "CountingApplet", "Tracking"):
        if other in file:
            yield f"{other}: only pixel classification is taken over"


def _lanes(file: h5py.File, *, old: bool) -> Iterator[_Lane]:
    infos = held(file, "Input Data/infos")
    for key in sorted(infos) if isinstance(infos, h5py.Group) else ():
        raw = held(infos, f"{key}/Raw Data")
        digits = re.fullmatch(r"lane(\d{1,6})", key)
        if not isinstance(raw, h5py.Group) or not digits:
            continue
        where, location = _text(raw, "filePath"), _text(raw, "location")
        axes = tagged(small(raw, "axistags")) or _text(raw, "axisorder")
        data = _text(raw, "datasetId")
        inside = f"Input Data/local_data/{data}" if location.endswith("Internal") else ""
        name = _text(raw, "nickname") or where or key
        yield _Lane(int(digits[1]), where, axes, short(name), inside, old)


def _picture(
    file: h5py.File, lane: _Lane, classes: Sequence[Class], path: Path, images: Sequence[Path]
) -> Picture:
    if lane.inside:
        image, where = _internal(file, lane, path), None
    else:
        image, where = _external(lane, path, images)
    group = held(file, f"PixelClassification/LabelSets/labels{lane.number:03}")
    strokes = _strokes(group, lane, image, classes) if isinstance(group, h5py.Group) else None
    return Picture(image, lane.name, where, strokes)


def _internal(file: h5py.File, lane: _Lane, path: Path) -> Image:
    """Return an image that lies in the project."""
    stored = held(file, lane.inside)
    if not isinstance(stored, h5py.Dataset):
        raise FormatError(f"it is said to lie in {path.name}, and does not.")
    letters = tagged(stored.attrs.get("axistags")) or lane.axes
    return arrange(lazy(stored, path), _colours(letters, stored.shape), Facts(), path)


def _colours(letters: str, shape: Sequence[int]) -> str:
    return letters[:-1] + "s" if letters[-1:] == "c" and shape[-1] == 3 else letters


def _external(lane: _Lane, path: Path, images: Sequence[Path]) -> tuple[Image, Path]:
    if any(sign in lane.path for sign in "*;") or "://" in lane.path:
        raise FormatError(
            f"{short(lane.path)} is a stack of files or an address. Save it as one file, under the "
            "name that the project has for it, and name it behind the project."
        )
    outer, inner = _split(lane.path)
    found = located(outer, path, images)
    if found is None:
        raise FormatError(f"{short(outer)} is not there. Name its folder behind the project.")
    series = number_of(found, inner) if inner else None
    try:
        return read_image(found, axes=lane.axes or None, series=series), found
    except ShapeError:
        return read_image(found, series=series), found


def _split(named: str) -> tuple[str, str]:
    """Return the path of a file, and what lies in it: "a.h5/volume/data"."""
    for ending in HDF5S:
        outer, found, inner = named.partition(f"{ending}/")
        if found:
            return outer + ending, inner
    return named, ""


def _strokes(
    group: h5py.Group, lane: _Lane, image: Image, classes: Sequence[Class]
) -> Strokes | None:
    """Return what was painted on an image: blocks, each with its place."""
    sizes = {a: n for a, n in image.sizes.items() if a != "c"}
    if np.prod(list(sizes.values()), dtype=float) > MAX_PIXELS:
        raise LabelError(f"its strokes would not fit in memory: {sizes}.")
    labels = np.zeros(tuple(sizes.values()), np.uint16)
    for name in group:
        block = held(group, name)
        if isinstance(block, h5py.Dataset) and block.size:
            _lay(labels, block, lane, sizes)
    return Strokes(labels, "".join(sizes), tuple(classes)) if labels.any() else None


def _lay(labels: Any, block: h5py.Dataset, lane: _Lane, sizes: dict[str, int]) -> None:
    """Write one block of strokes to its place."""
    said = block.attrs.get("blockSlice", "")
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)
    spans = [slice(int(a), int(b)) for a, b in _RANGE.findall(text)]
    shape = tuple(span.stop - span.start for span in spans)
    if shape != block.shape or block.dtype.kind not in "ui" or _elsewhere(block):
        raise LabelError(f"a block of its strokes is damaged ({short(text)}).")
    if np.prod(shape, dtype=float) > MAX_PIXELS:
        raise LabelError(f"a block of its strokes has {shape} pixels, which is no block.")
    axes = _axes_of(block, spans, lane, sizes)
    order = [*(a for a in axes if a not in sizes), *(a for a in sizes if a in axes)]
    values = block[()].transpose([axes.index(a) for a in order])
    if values.max() > MAX_LABEL:
        raise LabelError(f"its strokes have labels up to {values.max()}.")
    place = dict(zip(axes, spans, strict=True))
    target = labels[tuple(place.get(a, slice(0, 1)) for a in sizes)]
    given = values.reshape(target.shape)
    target[given > 0] = given[given > 0]


def _elsewhere(block: h5py.Dataset) -> bool:
    return bool(block.external or block.is_virtual)


def _axes_of(
    block: h5py.Dataset, spans: Sequence[slice], lane: _Lane, sizes: dict[str, int]
) -> str:
    """Return the axes of a block: those it names, or those of the image, in which it fits.

    Channels come last in older projects, wherever the image has them.
    """
    named = tagged(block.attrs.get("axistags"))
    plain = lane.axes if "c" in lane.axes else f"{lane.axes}c"
    last = f"{plain.replace('c', '')}c"
    tries = [named] if named else [last, plain] if lane.old else [plain, last]
    for axes in tries:
        fits = len(axes) == len(spans) and len(set(axes)) == len(axes)
        if fits and all(s.stop <= sizes.get(a, 1) for a, s in zip(axes, spans, strict=True)):
            return axes
    raise ShapeError(
        f"its strokes reach {[span.stop for span in spans]} along {tries[0]!r}, the image has "
        f"{sizes}. Has it changed since?"
    )


def _classes(group: h5py.Group) -> tuple[Class, ...]:
    """Return names and colours, in the order of their labels."""
    names, colors = (np.atleast_1d(_values(group, k)) for k in ("LabelNames", "LabelColors"))
    found = []
    for number, name in enumerate(names.tolist()[:MAX_CLASSES]):
        text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
        one = Class(number + 1, short(text))
        if number < len(colors) and np.size(colors[number]) >= 3:
            rgb = bytes(int(v) & 255 for v in np.ravel(colors[number])[:3])
            one = replace(one, color=f"#{rgb.hex()}")
        found.append(one)
    return tuple(found)


def _features(file: h5py.File, volumes: bool) -> tuple[dict[str, Any], list[str], list[str]]:
    """Return the parameters for the features that were chosen, and what is to be said of them."""
    group = held(file, "FeatureSelections")
    chosen = small(group, "SelectionMatrix")
    if chosen is None:
        return {}, [], ["features: none were chosen"]
    names = [n.decode("ascii", "replace") for n in _values(group, "FeatureIds").tolist()]
    scales, planes = _values(group, "Scales"), small(group, "ComputeIn2d")
    planes = np.ones(len(scales), bool) if planes is None else planes
    cells, strange = [], set()
    for row, column in zip(*np.nonzero(chosen), strict=True):
        if names[row] in NAMES:
            cells.append(Cell(NAMES[names[row]], float(scales[column]), bool(planes[column])))
        else:
            strange.add(names[row])
    left = [f"feature {short(name)}: there is none like it" for name in sorted(strange)]
    if not cells:
        return {}, [], [*left, "features: none were chosen"]
    param, said = bank(cells, volumes=volumes)
    param |= {"clf": "forest", "normalize": 1}
    return (
        param,
        [f"{len(cells)} features", "values as they are in the file, without scaling"],
        [
            *left,
            *said,
        ],
    )


def _values(group: Any, name: str) -> Any:
    """Return an array in a group; an empty one where there is none."""
    found = small(group, name)
    return np.zeros(0) if found is None else found


def _text(group: Any, name: str) -> str:
    """Return a text in a group; "" where there is none."""
    value = small(group, name)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
