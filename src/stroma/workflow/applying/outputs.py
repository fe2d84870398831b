"""What a batch writes, and under which names."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stroma.data.image import Image
from stroma.errors import ParameterError, StromaError
from stroma.io import read_image, series_of, stem_of
from stroma.io.atomic import is_zarr
from stroma.workflow.applying.applied import TABLES, is_network, result_of

if TYPE_CHECKING:
    from stroma.workflow.applying.applied import Model

NAMES = {
    "classes": "labels",
    "instances": "objects",
    "points": "points",
    "image": "restored",
    "channels": "channels",
    "category": "class",
    "object classes": "table",
}
"""How the file of a result ends, before its format."""

FINDS = {**NAMES, "object classes": "classes of objects"}
"""What models are said to find."""

FORMATS = ("auto", ".tif", ".ome.tif", ".png", ".npy", ".zarr")


@dataclass(frozen=True)
class Outputs:
    """What to write for every image.

    Parameters
    ----------
    format : {"auto", ".tif", ".ome.tif", ".png", ".npy", ".zarr"}
        Of labels and probabilities; "auto" is OME-Zarr for OME-Zarr, TIFF for others.
    probabilities : bool
        Write the probability of every class, as channels.
    overlay : bool
        Write a picture of the image with the colours of the classes, or the outlines of objects.
    alpha : float
        Weight of the colours in the overlay, 0 to 1.
    tables : bool
        Write tables of components and classes, and one summary of all images.
    min_size : int
        Components with fewer pixels are not listed or counted in tables.
    mask : Path, optional
        Image that is 0 where nothing is to be segmented; or a folder of such images with the
        names of the images.
    axes : str, optional
        Axes of the images, where the files do not name them.
    overwrite : bool
        Do again what is done already, and replace results of other images.
    series : sequence of int or "all", optional
        Which images of files that hold several; the first where left out.
    mirror : bool, optional
        Predict by networks also the mirror images, and take the mean, 4 or 8 times the work; as
        was decided at their training, unless given.
    directions : bool
        Networks of planes that find objects look at volumes along z, y and x.
    objects : Path, optional
        Label image with the objects of the images, for networks that tell classes of objects apart;
        or a folder of such images with the names of the images.
    """

    format: str = "auto"
    probabilities: bool = False
    overlay: bool = False
    alpha: float = 0.4
    tables: bool = False
    min_size: int = 0
    mask: Path | None = None
    axes: str | None = None
    overwrite: bool = False
    series: tuple[int, ...] | Literal["all"] | None = None
    mirror: bool | None = None
    directions: bool = False
    objects: Path | None = None

    def __post_init__(self) -> None:
        """Check what can be checked without an image."""
        if self.format not in FORMATS:
            raise ParameterError(f"No format {self.format!r}. Known: {', '.join(FORMATS)}.")
        if not 0 <= self.alpha <= 1:
            raise ParameterError(f"alpha is the weight of the colours, 0 to 1, got {self.alpha}.")
        if self.min_size < 0:
            raise ParameterError(f"min_size is a number of pixels, got {self.min_size}.")
        if self.mask is not None:
            object.__setattr__(self, "mask", Path(self.mask))
        if self.objects is not None:
            object.__setattr__(self, "objects", Path(self.objects))


@dataclass(frozen=True)
class Files:
    """Where the results of one image go; None for what is not wanted.

    ``labels`` is the main one: classes, objects, points or an image.
    """

    labels: Path
    probabilities: Path | None
    overlay: Path | None
    components: Path | None
    summary: Path | None
    record: Path
    outlines: Path | None = None

    @property
    def all(self) -> tuple[Path, ...]:
        """The results, without the record of them."""
        every = (self.labels, self.probabilities, self.overlay, self.components, self.summary)
        return tuple(p for p in (*every, self.outlines) if p is not None)


@dataclass(frozen=True)
class Job:
    """One image of a batch.

    Parameters
    ----------
    path : Path
        The image.
    stem : Path
        Folder and beginning of the names of its results.
    outputs : Outputs
        What is wanted.
    fingerprint : str
        Changes when the model, the image or what is wanted changes.
    series : int, optional
        Which image of the file.
    result : {"classes", "instances", "points", "image", "channels", "category", "object classes"}
        What the model makes of it.
    like : Image, optional
        The image as it was opened, where that is not as the file says: its axes and the size of
        its pixels hold.
    """

    path: Path
    stem: Path
    outputs: Outputs
    fingerprint: str
    series: int | None = None
    result: str = "classes"
    like: Image | None = None

    def open(self) -> Image:
        """Return the image, with the axes and sizes that were given it."""
        if self.like is None:
            return read_image(self.path, axes=self.outputs.axes, series=self.series)
        found = read_image(self.path, axes=self.like.axes_given, series=self.series)
        return replace(found, spacing=self.like.spacing, unit=self.like.unit)

    def files(self, image: Image) -> Files:
        """Return where the results of the image go."""
        wanted = self.outputs
        form = wanted.format
        if form == "auto":
            form = ".zarr" if self.path.is_dir() else ".tif"
        many = any(image.sizes.get(a, 1) > 1 for a in "tz")
        if many and form == ".png":
            raise ParameterError(f"{self.path} has several planes, a PNG has one; choose '.tif'.")
        values = form if form != ".png" else ".tif"
        main = ".csv" if self.result in TABLES else form
        # One image may have results of several kinds in a folder, each with a record of its own.
        kind = "" if self.result == "classes" else f"_{NAMES[self.result]}"
        return Files(
            labels=self._named(f"_{NAMES[self.result]}{main}"),
            probabilities=self._named(f"_probabilities{values}") if wanted.probabilities else None,
            overlay=(
                self._named(f"{kind}_overlay.{'tif' if many else 'png'}")
                if wanted.overlay
                else None
            ),
            components=self._named("_components.csv") if wanted.tables else None,
            summary=self._named("_summary.csv") if wanted.tables else None,
            record=self._named(f"{kind}_stroma.json"),
            outlines=self._named("_objects.geojson") if self.result == "object classes" else None,
        )

    @property
    def name(self) -> str:
        """What the image is called in tables: as its file, unless several are called so."""
        plain = self.series is None and self.stem.name == _stem(self.path)
        return self.path.name if plain and not _in_zarr(self.path) else self.stem.name

    def _named(self, ending: str) -> Path:
        return self.stem.with_name(self.stem.name + ending)


def jobs(
    model: Model,
    paths: Sequence[Path],
    folder: Path,
    outputs: Outputs,
    series: Sequence[int | None] = (),
    opened: Sequence[Image | None] = (),
) -> list[Job]:
    """Return one job per image, with names that differ.

    Images of the same name get what differs of their paths into the names of their results:
    "a.png" and "a.tif" their endings, "x/a.tif" and "y/a.tif" their folders. Images within an
    OME-Zarr are named with their place in it, and those of a file that holds several with their
    number. ``series`` says which image of each path, and ``opened`` how it was opened; unless
    given, ``outputs`` does.

    Raises
    ------
    ParameterError
        If an image is given twice, or what is wanted goes with classes alone.
    """
    result = result_of(model)
    _require_classes(outputs, result)
    _require_objects(outputs, result)
    if outputs.mask is not None and result == "category":
        raise ParameterError(
            "mask= goes with results that have a place, and this network finds a class for the "
            "image as a whole. Crop the images instead."
        )
    if outputs.mirror is not None and not is_network(model):
        raise ParameterError("mirror= goes with networks, and this is a model of strokes.")
    if outputs.directions and result != "instances":
        raise ParameterError(
            f"directions= goes with networks of planes that find objects, and this model finds "
            f"{FINDS[result]}."
        )
    absolute = [path.absolute() for path in paths]
    chosen = [(one,) for one in series] if series else [_numbers(p, outputs) for p in paths]
    given = Counter(zip(absolute, chosen, strict=True))
    twice = sorted(str(path) for (path, _), count in given.items() if count > 1)
    if twice:
        raise ParameterError(f"These files are given twice: {', '.join(twice)}. Name each once.")
    distinct = list(dict.fromkeys(absolute))
    names = dict(zip(distinct, _names(distinct), strict=True))
    model_hash = fingerprint(model)
    return [
        Job(
            path,
            folder / (names[whole] if number is None else f"{names[whole]}_s{number}"),
            outputs,
            _identity(model_hash, path, outputs, number, like),
            number,
            result,
            like,
        )
        for path, whole, numbers, like in zip(
            paths, absolute, chosen, opened or [None] * len(paths), strict=True
        )
        for number in numbers
    ]


def _require_objects(outputs: Outputs, result: str) -> None:
    """Require the objects that classes are told of, and no others."""
    if result != "object classes":
        if outputs.objects is not None:
            raise ParameterError(
                "objects= goes with networks that learned classes of objects, and this model finds "
                f"{FINDS[result]}. Leave it out."
            )
        return
    if outputs.objects is None:
        raise ParameterError(
            "This network tells classes of objects apart. Give objects=, their label image, or a "
            "folder with one for each image."
        )
    if outputs.mask is not None:
        raise ParameterError(
            "mask= goes with results that are looked for, and here objects are given. Leave those "
            "outside out of objects= instead."
        )


def _require_classes(outputs: Outputs, result: str) -> None:
    """Refuse what only models of classes write; of objects there are outlines."""
    given = {
        "probabilities=": outputs.probabilities,
        "overlay=": outputs.overlay and result != "instances",
        "tables=": outputs.tables,
    }
    asked = [name for name, wanted in given.items() if wanted]
    if result == "classes" or not asked:
        return
    whose = "models of classes or objects" if asked == ["overlay="] else "models of classes"
    raise ParameterError(
        f"{', '.join(asked)} {'goes' if len(asked) == 1 else 'go'} with {whose}; "
        f"this network finds {FINDS[result]}. Leave {'it' if len(asked) == 1 else 'them'} out."
    )


def _numbers(path: Path, outputs: Outputs) -> tuple[int | None, ...]:
    """Return which images of a file are wanted; None is the first of any."""
    if outputs.series != "all":
        return tuple(outputs.series or (None,))
    try:
        return tuple(one.number for one in series_of(path))
    except StromaError:
        return (None,)  # what is wrong with the file is told when its turn comes


def _names(paths: Sequence[Path]) -> list[str]:
    """Return a name for every path that no other has."""
    names = [_stem(p) for p in paths]
    for longer in (_with_ending, _with_folders):
        count = Counter(name.lower() for name in names)
        clash = [i for i, name in enumerate(names) if count[name.lower()] > 1]
        if not clash:
            return names
        better = longer([paths[i] for i in clash])
        names = [better[clash.index(i)] if i in clash else n for i, n in enumerate(names)]
    return names


def _with_ending(paths: Sequence[Path]) -> list[str]:
    """Return names with the ending where that tells apart; else as they were."""
    full = Counter(p.name.lower() for p in paths)
    return [p.name if full[p.name.lower()] == 1 and not _in_zarr(p) else _stem(p) for p in paths]


def _with_folders(paths: Sequence[Path]) -> list[str]:
    """Return names with the folders from the first on that differs."""
    shared = len(os.path.commonpath([p.parent for p in paths])) if len(paths) > 1 else 0
    named = []
    for path in paths:
        folders = [f for f in str(path.parent)[shared:].split(os.sep) if f]
        inner = _stem(path)
        clash = sum(other.parent == path.parent and _stem(other) == inner for other in paths) > 1
        named.append("_".join([*folders, path.name if clash else inner]))
    return named


def _in_zarr(path: Path) -> Path | None:
    """Return the outermost OME-Zarr that a path lies in; None where it lies in none."""
    outer = [p for p in path.parents if p.suffix.lower() == ".zarr" or is_zarr(p)]
    return outer[-1] if outer else None


def fingerprint(model: Model) -> str:
    """Return a hash of everything a model's results depend on.

    Raises
    ------
    NotTrainedError
        If the model has no classifier.
    """
    if is_network(model):
        return model.fingerprint()
    model.trained()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pkl"
        model.save(path, create_yml=False)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _stem(path: Path) -> str:
    outer = _in_zarr(path)
    if outer is not None:
        return "_".join([_stem(outer), *path.relative_to(outer).parts])
    return stem_of(path)


def _identity(
    model: str, path: Path, outputs: Outputs, series: int | None, like: Image | None
) -> str:
    """Return a hash of model, image (name, size and date of the file) and what is wanted."""
    axes = outputs.axes if like is None else like.axes_given
    wanted = [outputs.format, outputs.alpha, outputs.min_size, axes, state_of(outputs.mask)]
    wanted += [] if like is None else [sorted(like.spacing.items()), like.unit]
    wanted += ["directions"] if outputs.directions else []
    wanted += [] if outputs.mirror is None else [f"mirror {outputs.mirror}"]
    wanted += ["objects", state_of(outputs.objects)] if outputs.objects is not None else []
    said = [model, str(path.resolve()), state_of(path), wanted, series]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def state_of(path: Path | None) -> list[list[int]]:
    """Return size and date of a file, or of the metadata of a zarr; nothing if it is missing."""
    if path is None or not path.exists():
        return []
    files = [path]
    if path.is_dir():
        marks = ("zarr.json", ".zattrs", ".zarray")
        files = (
            [path / m for m in marks if (path / m).exists()]
            if is_zarr(path)
            else [p for p in path.iterdir() if p.is_file()]
        )
    return [[f.stat().st_size, f.stat().st_mtime_ns] for f in sorted(files)]
