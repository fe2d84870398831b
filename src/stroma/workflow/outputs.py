"""What a batch writes, under which names, and how it knows that a file is done."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.io.atomic import is_zarr, replaced

if TYPE_CHECKING:
    from stroma.pixel.model import ConvpaintModel

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
        Write a picture of the image with the colours of the classes.
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
        Do again what is done already.
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


@dataclass(frozen=True)
class Files:
    """Where the results of one image go; None for what is not wanted."""

    labels: Path
    probabilities: Path | None
    overlay: Path | None
    components: Path | None
    summary: Path | None
    record: Path

    @property
    def all(self) -> tuple[Path, ...]:
        """The results, without the record of them."""
        every = (self.labels, self.probabilities, self.overlay, self.components, self.summary)
        return tuple(p for p in every if p is not None)


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
    """

    path: Path
    stem: Path
    outputs: Outputs
    fingerprint: str

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
        return Files(
            labels=self._named(f"_labels{form}"),
            probabilities=self._named(f"_probabilities{values}") if wanted.probabilities else None,
            overlay=self._named(f"_overlay.{'tif' if many else 'png'}") if wanted.overlay else None,
            components=self._named("_components.csv") if wanted.tables else None,
            summary=self._named("_summary.csv") if wanted.tables else None,
            record=self._named("_stroma.json"),
        )

    def _named(self, ending: str) -> Path:
        return self.stem.with_name(self.stem.name + ending)


def jobs(model: ConvpaintModel, paths: Sequence[Path], folder: Path, outputs: Outputs) -> list[Job]:
    """Return one job per image, with names that differ.

    Images of the same name but another ending ("a.png", "a.tif") keep it in the names of their
    results.

    Raises
    ------
    ParameterError
        If images of the same name lie in different folders.
    """
    stems = Counter(_stem(p) for p in paths)
    names = [_stem(p) if stems[_stem(p)] == 1 else p.name for p in paths]
    twice = sorted(n for n, count in Counter(names).items() if count > 1)
    if twice:
        raise ParameterError(
            f"Several images are called {', '.join(map(repr, twice))}, so their results would "
            "overwrite one another. Segment their folders one by one."
        )
    model_hash = fingerprint(model)
    return [
        Job(path, folder / name, outputs, _identity(model_hash, path, outputs))
        for path, name in zip(paths, names, strict=True)
    ]


def fingerprint(model: ConvpaintModel) -> str:
    """Return a hash of everything a model's results depend on.

    Raises
    ------
    NotTrainedError
        If the model has no classifier.
    """
    model.trained()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pkl"
        model.save(path, create_yml=False)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def is_complete(job: Job, files: Files) -> bool:
    """Tell whether all results are there, and were made by the same model in the same way."""
    if not all(p.exists() for p in (*files.all, files.record)):
        return False
    try:
        said = json.loads(files.record.read_text(encoding="utf-8"))
        return bool(said["fingerprint"] == job.fingerprint)
    except (ValueError, KeyError, TypeError):
        return False


def record(job: Job, files: Files) -> None:
    """Note that an image is done; written last."""
    said = {
        "image": str(job.path),
        "fingerprint": job.fingerprint,
        "outputs": [p.name for p in files.all],
    }
    with replaced(files.record) as new:
        new.write_text(json.dumps(said, indent=2), encoding="utf-8")


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".ome.tif", ".ome.tiff", ".ome.zarr"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return path.stem


def _identity(model: str, path: Path, outputs: Outputs) -> str:
    """Return a hash of model, image (name, size and date of the file) and what is wanted."""
    wanted = [outputs.format, outputs.alpha, outputs.min_size, outputs.axes, _state(outputs.mask)]
    said = [model, str(path.resolve()), _state(path), wanted]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _state(path: Path | None) -> list[list[int]]:
    """Return size and date of a file, or of the metadata of a zarr; nothing if it is missing."""
    if path is None or not path.exists():
        return []
    files = [path]
    if path.is_dir():
        marks = ("zarr.json", ".zattrs", ".zarray")
        files = (
            [path / m for m in marks if (path / m).exists()]
            if is_zarr(path)
            else list(path.iterdir())
        )
    return [[f.stat().st_size, f.stat().st_mtime_ns] for f in sorted(files)]
