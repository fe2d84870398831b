"""One result beside its truth: objects, points and images in files, tracks in folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stroma.data.tracks import Tracks
from stroma.errors import LabelError, ShapeError
from stroma.io import is_image, read_image
from stroma.io.pictures.png import read_indices
from stroma.io.points import read_points
from stroma.io.tracks.ctc import linked, text_of
from stroma.io.tracks.movie import NUMBER, Movie, read_movie
from stroma.metrics.detection import detection_scores
from stroma.metrics.instances import instance_scores
from stroma.metrics.partition import partition_scores
from stroma.metrics.restoration import SPREAD, restoration_scores
from stroma.metrics.tracking import match, seg
from stroma.metrics.tracking import scores as tracking_scores
from stroma.tracking.detect import detect

Labels = NDArray[np.generic]

Frames = tuple[str | Path, Labels, str | Path, Labels]
"""Where a true frame is, the frame, where that of the result is, and it."""


def object_scores(path: Path, true: Path, *, ignore: Sequence[int]) -> dict[str, float]:
    """Return the scores of objects by number; those of the truth that are ignored do not count."""
    result, truth = (np.squeeze(label_values(p)) for p in (path, true))
    _require_same(result, truth, path, true)
    known = np.where(np.isin(truth, list(ignore)), -1, truth)
    return instance_scores(result, known) | partition_scores(result, known)


def point_scores(path: Path, true: Path, *, cutoff: float) -> dict[str, float]:
    """Return the scores of points in CSV files with columns y, x (and z), in pixels.

    The truth may be an image of objects by number: the middles of the boxes around them.
    """
    return detection_scores(read_points(path), points_in(true), cutoff=cutoff)


def points_in(path: Path) -> NDArray[np.float64]:
    """Return the points of a CSV file; of an image of objects the middles of their boxes."""
    return _middles(path) if is_image(path) else read_points(path)


def _middles(path: Path) -> NDArray[np.float64]:
    labels = np.squeeze(label_values(path))
    numbers = np.unique(labels, return_inverse=True)[1].reshape(labels.shape)
    found = ndimage.find_objects(numbers + (labels.min() > 0))
    middles = [[(s.start + s.stop - 1) / 2 for s in box] for box in found if box is not None]
    return np.array(middles, float).reshape(len(middles), labels.ndim)


def image_scores(path: Path, true: Path) -> dict[str, float]:
    """Return the scores of a restored image beside the clean one."""
    result, truth = restored_in(path), np.squeeze(read_image(true).read())
    _require_same(result, truth, path, true)
    return restoration_scores(result, truth)


def restored_in(path: Path) -> NDArray[Any]:
    """Return a restored image without the spreads that its file may have beside it."""
    image = read_image(path)
    kept = [i for i, name in enumerate(image.channels) if not name.startswith(SPREAD)]
    if len(kept) < len(image.channels):
        image = image.at(c=kept)
    return np.squeeze(image.read())


def tracks_of(folder: str | Path) -> tuple[Tracks, Movie]:
    """Return the tracks of a folder of the Cell Tracking Challenge, and its label images."""
    movie = read_movie(folder)
    frames = ((np.asarray(labels), None) for labels in movie)
    seen = detect(frames, spacing=movie.spacing, unit=movie.unit, interval=movie.interval)
    return linked(seen.detections, movie.numbers, text_of(folder)), movie


def read_folder(path: Path) -> Tracks:
    """Return the tracks of a folder of the Cell Tracking Challenge."""
    return tracks_of(path)[0]


def track_scores(
    result: str | Path, truth: str | Path, *, outlines: str | Path | None = None
) -> dict[str, float]:
    """Return the scores of tracks in a folder against those in another.

    Parameters
    ----------
    result, truth : path
        Folders of the Cell Tracking Challenge; frames pair by number.
    outlines : path, optional
        Folder of label images with true outlines of some frames, for SEG.

    Raises
    ------
    ShapeError
        If the frames differ in number or shape.
    """
    (ours, images), (true, markers) = tracks_of(result), tracks_of(truth)
    if images.numbers != markers.numbers:
        raise ShapeError(
            f"{result} has the frames {images.numbers[0]} to {images.numbers[-1]}, {truth} "
            f"{markers.numbers[0]} to {markers.numbers[-1]}."
        )
    frames = ((truth, m, result, i) for m, i in zip(markers, images, strict=True))
    pairs = match(true.detections, ours.detections, _alike(frames))
    found = tracking_scores(true, ours, pairs)
    if outlines is not None:
        found["SEG"] = seg(_alike(_outlined(Path(outlines), result, images)))
    return found


def _outlined(folder: Path, result: str | Path, images: Movie) -> Iterator[Frames]:
    """Yield true outlines and results of the frames that have outlines."""
    at = {number: i for i, number in enumerate(images.numbers)}
    for path in sorted(folder.iterdir()):
        number = NUMBER.search(path.stem) if is_image(path) else None
        if number and int(number[1]) in at:
            yield path, np.asarray(read_image(path).read()), result, images.read(at[int(number[1])])


def _alike(frames: Iterable[Frames]) -> Iterator[tuple[Labels, Labels]]:
    """Yield the labels of the truth and of the result, if they are of one shape."""
    for truth, true, result, ours in frames:
        _require_same(ours, true, result, truth)
        yield true, ours


def label_values(path: Path) -> NDArray[Any]:
    """Return the labels in a file.

    Raises
    ------
    LabelError
        If they are fractions.
    """
    stored = read_indices(path) if path.suffix.lower() == ".png" else None
    values = read_image(path).read() if stored is None else stored
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        raise LabelError(f"{path} holds fractions; labels are whole numbers.")
    return values.astype(np.int64)


def _require_same(
    result: NDArray[Any], truth: NDArray[Any], path: str | Path, true: str | Path
) -> None:
    if result.shape != truth.shape:
        raise ShapeError(
            f"{path} has {result.shape} pixels, its truth {true} has {truth.shape}. They are "
            "compared pixel by pixel; check that they belong together."
        )
