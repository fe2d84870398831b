"""What stands out of images in files: masks, boxes and outlines, without strokes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.data.outlines import outlines
from stroma.data.shapes import Area, rectangle
from stroma.errors import ParameterError
from stroma.io import read_image, write_labels
from stroma.io.atomic import replaced
from stroma.io.marks import Mark
from stroma.io.tables import STROKE_WRITERS
from stroma.pixel.showing.boxes import Object, objects_in
from stroma.workflow.applying.outputs import Outputs
from stroma.workflow.applying.segment import FileResult, Progress, segment_files

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel

LEAST = 200
"""Pixels of the parts of groups that are told, at least."""

OBJECT, BOX = ("object", "#ffb000"), ("box", "#648fff")
"""Names and colours of outlines and of boxes, in files for other programs."""


@dataclass(frozen=True)
class Found:
    """One object in an image.

    Parameters
    ----------
    plane : dict of str to int
        Where along t and z, as far as the image has these axes.
    object : Object
        Its box, and the group it is a part of.
    """

    plane: dict[str, int]
    object: Object

    def plain(self) -> dict[str, int]:
        """Return it as numbers by name; the group 0 is the largest part of the whole foreground."""
        box = self.object.box
        edges = {n: getattr(box, n) for n in ("top", "left", "bottom", "right")}
        return {**self.plane, **edges, "group": self.object.group, "area": self.object.area}


@dataclass(frozen=True, eq=False)
class Located:
    """What stands out of an image.

    Parameters
    ----------
    groups : ([t, z,] y, x) int array
        The group of every pixel, from 1; 0 where there is no data.
    front : tuple of int
        Groups that stand out.
    found : tuple of Found
        Boxes: plane by plane, the largest part of the foreground, then parts of its groups.
    """

    groups: NDArray[np.integer]
    front: tuple[int, ...]
    found: tuple[Found, ...]

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The ([t, z,] y, x) pixels of the foreground."""
        return np.isin(self.groups, self.front)


@dataclass(frozen=True, eq=False)
class FileFound:
    """What became of one file.

    Parameters
    ----------
    file : FileResult
        What was written.
    found : tuple of Found
        Its objects.
    """

    file: FileResult
    found: tuple[Found, ...] = ()


def locate_image(
    model: ConvpaintModel,
    image: Any,
    *,
    least: int = LEAST,
    samples: int = 20_000,
    rng: int = 0,
) -> Located:
    """Return what stands out of an image; the model says which features, and stays as it is.

    Parameters
    ----------
    model : ConvpaintModel
        Says which features.
    image : array-like, Image or path
        As for ``ConvpaintModel.train``.
    least : int
        Pixels of the parts of groups that are told, at least.
    samples : int
        Pixels that are looked at to find groups.
    rng : int
        Seed.
    """
    own = type(model)(param=model.get_params())
    own.cache = model.cache
    front = own.separate(image, samples=samples, rng=rng)
    groups = np.asarray(own.segment(image))
    return located(groups, front, list(own.open(image).outer), least=least)


def located(
    groups: NDArray[np.integer], front: tuple[int, ...], axes: Sequence[str], *, least: int = LEAST
) -> Located:
    """Return groups of pixels with the boxes in them.

    Parameters
    ----------
    groups : (..., y, x) int array
        The group of every pixel.
    front : tuple of int
        Groups that stand out.
    axes : sequence of str
        Names of the axes before y and x.
    least : int
        Pixels of the parts of groups that are told, at least.
    """
    if least < 0:
        raise ParameterError(f"The least area is a number of pixels, got {least}.")
    found = [
        Found(dict(zip(axes, at, strict=True)), one)
        for at in np.ndindex(groups.shape[:-2])
        for one in objects_in(groups[at], front, least=least)
    ]
    return Located(groups, front, tuple(found))


def locate_files(
    model: ConvpaintModel,
    paths: Sequence[str | Path],
    folder: str | Path,
    *,
    model_file: str | Path,
    least: int = LEAST,
    samples: int = 20_000,
    marks: Sequence[str] = (),
    rng: int = 0,
    outputs: Outputs | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[FileFound, ...]:
    """Find what stands out of all images together, and write masks, boxes and outlines.

    Of each image: its groups (``NAME_labels.tif``), which of them stand out as a mask
    (``NAME_foreground.tif``), and boxes (``NAME_boxes.json``).

    Parameters
    ----------
    model : ConvpaintModel
        Says which features; changed in place.
    paths : sequence of str or Path
        The images.
    folder : str or Path
        Where results go.
    model_file : str or Path
        Where the model goes that finds the groups in other images (.pkl).
    least, samples, rng
        As for `locate_image`.
    marks : sequence of {".geojson", ".zip"}
        Write outlines and boxes for QuPath or ImageJ, too.
    outputs, progress
        As for ``segment_files``.
    """
    endings = _endings(marks)
    wanted = outputs or Outputs()
    first = wanted.series[0] if isinstance(wanted.series, tuple) else None
    images = [read_image(path, series=first) for path in paths]
    front = model.separate(images, samples=samples, rng=rng)
    Path(model_file).parent.mkdir(parents=True, exist_ok=True)
    model.save(model_file, create_yml=False)
    result = segment_files(model, paths, folder, outputs=wanted, progress=progress)
    return tuple(_written(file, front, least, endings) for file in result.files)


def _endings(marks: Sequence[str]) -> list[str]:
    for ending in marks:
        if ending not in STROKE_WRITERS:
            known = ", ".join(STROKE_WRITERS)
            raise ParameterError(f"Outlines are written as {known}, got {ending!r}.")
    return list(marks)


def _written(
    file: FileResult, front: tuple[int, ...], least: int, endings: Sequence[str]
) -> FileFound:
    if file.status == "failed":
        return FileFound(file)
    labels = read_image(file.outputs[0])
    axes = [a for a in labels.kept_axes if a in "tz"]
    made = located(np.asarray(labels.read()), front, axes, least=least)
    stem = file.outputs[0].name.partition("_labels")[0]

    def named(ending: str) -> Path:
        return file.outputs[0].with_name(f"{stem}_{ending}")

    files = [named("foreground.tif"), named("boxes.json")]
    write_labels(files[0], made.mask.astype(np.uint8), like=labels)
    with replaced(files[1]) as new:
        boxes = {"image": file.path.name, "boxes": [one.plain() for one in made.found]}
        new.write_text(json.dumps(boxes, indent=1), encoding="utf-8")
    for ending in endings:
        files.append(named(f"foreground{ending}"))
        with replaced(files[-1]) as new:
            STROKE_WRITERS[ending](new, list(_marks(made, labels)))
    return FileFound(replace(file, outputs=(*file.outputs, *files)), made.found)


def _marks(made: Located, labels: Image) -> Iterator[Mark]:
    """Yield the boxes, then the outlines of the foreground, which lie on top of them."""
    for number, one in enumerate(made.found, start=1):
        box, (name, color) = one.object.box, BOX
        shape = rectangle(box.left, box.top, box.right - box.left, box.bottom - box.top)
        yield Mark(shape, one.plane, name, 2, color, f"{name}-{number}")
    axes = [a for a in labels.kept_axes if a in "tz"]
    number, (name, color) = 0, OBJECT
    for at in np.ndindex(made.groups.shape[:-2]):
        for rings in outlines(made.mask[at]):
            number += 1
            plane = dict(zip(axes, at, strict=True))
            yield Mark(Area(tuple(rings)), plane, name, 1, color, f"{name}-{number}")
