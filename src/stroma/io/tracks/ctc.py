"""Folders of the Cell Tracking Challenge: masks whose labels are tracks, and a text of tracks.

https://celltrackingchallenge.net gives the format: ``label begin end parent``, one track a line.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from stroma.data.tracks import Detections, Ints, Tracks
from stroma.errors import FormatError, MissingFileError, ParameterError
from stroma.io.atomic import replaced
from stroma.io.tracks.movie import Movie
from stroma.io.write import write_image

TEXTS = ("res_track.txt", "man_track.txt")
MOST = 65535
LINE = re.compile(r"\s*(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s+(\d{1,9})\s*$")


def write(folder: Path, tracks: Tracks, movie: Movie | None, stem: str) -> list[Path]:
    """Write ``maskNNN.tif`` and ``res_track.txt``; frames keep the numbers of their files.

    A track of this format has no gaps: what comes after one is a track of its own, with the
    earlier one as its parent.

    Raises
    ------
    ParameterError
        If there are no label images, or more tracks than the format's 16 bits can name.
    """
    if movie is None:
        raise ParameterError(
            "The format of the Cell Tracking Challenge holds label images, and points have none. "
            "Write csv, geff or trackmate."
        )
    pieces = tracks.pieces
    if pieces.max(initial=0) > MOST:
        raise ParameterError(
            f"The format of the Cell Tracking Challenge names up to {MOST} tracks, here are "
            f"{pieces.max()}. Write csv, geff or trackmate."
        )
    digits = max(3, len(str(movie.numbers[-1])))
    spacing = dict(zip("zyx"[3 - len(movie.spacing) :], movie.spacing, strict=True))
    written = []
    for t, number in enumerate(movie.numbers):
        mask = relabelled(movie.read(t), tracks, t)
        path = folder / f"mask{number:0{digits}d}.tif"
        axes = "zyx"[-mask.ndim :]
        write_image(path, mask, axes=axes, spacing=spacing, unit=movie.unit if spacing else "")
        written.append(path)
    text = folder / TEXTS[0]
    with replaced(text) as temporary:
        temporary.write_text("".join(_lines(tracks, movie.numbers)))
    return [*written, text]


def relabelled(
    labels: np.ndarray,
    tracks: Tracks,
    frame: int,
    numbers: Ints | None = None,
    dtype: DTypeLike = np.uint16,
) -> np.ndarray:
    """Return a frame's labels with the number of its track in place of each.

    Parameters
    ----------
    labels : (y, x) or (z, y, x) integers
        The frame.
    tracks : Tracks
        Of the whole movie.
    frame : int
        Position of the frame.
    numbers : (n,) int64, optional
        Number of each detection; that of its part of a track without gaps, unless given.
    dtype : data-type
        Of the result.
    """
    numbers = tracks.pieces if numbers is None else numbers
    rows = tracks.detections.of(frame)
    known = tracks.detections.label[rows]
    flat = np.searchsorted(known, labels.ravel().astype(np.int64))
    flat = np.minimum(flat, max(0, len(known) - 1))
    if not len(known):
        return np.zeros(labels.shape, dtype)
    found = np.where(known[flat] == labels.ravel(), numbers[rows][flat], 0)
    return found.reshape(labels.shape).astype(dtype)


def _lines(tracks: Tracks, numbers: tuple[int, ...]) -> list[str]:
    frame, pieces = tracks.detections.frame, tracks.pieces
    parent = np.zeros(pieces.max(initial=0) + 1, np.int64)
    joints = pieces[tracks.links[::-1]]
    between = joints[:, 0] != joints[:, 1]
    parent[joints[between, 1]] = joints[between, 0]
    lines = []
    for piece in range(1, len(parent)):
        own = frame[pieces == piece]
        lines.append(f"{piece} {numbers[own[0]]} {numbers[own[-1]]} {parent[piece]}\n")
    return lines


def text_of(folder: str | Path) -> Path:
    """Return the text of tracks in a folder, or one above it.

    Raises
    ------
    MissingFileError
        If there is none.
    """
    folder = Path(folder)
    for place in (folder, folder.parent):
        for name in TEXTS:
            if (place / name).is_file():
                return place / name
    raise MissingFileError(f"There is no {' or '.join(TEXTS)} in {folder}.")


def linked(found: Detections, numbers: tuple[int, ...], text: str | Path) -> Tracks:
    """Return the tracks that a text tells of detections whose labels are tracks.

    Raises
    ------
    FormatError
        If a line is not four whole numbers, or names a parent that is not there.
    """
    of = _by_label(found)
    links = [pair for rows in of.values() for pair in itertools.pairwise(rows)]
    for label, parent in _parents(Path(text)):
        if parent and label in of:
            if parent not in of:
                raise FormatError(f"{text}: track {label} comes from {parent}, which is nowhere.")
            links.append((of[parent][-1], of[label][0]))
    return Tracks(found, np.array(links, np.int64).reshape(-1, 2))


def continued(found: Detections) -> Tracks:
    """Return the tracks of detections that keep their label while they are the same."""
    rows = _by_label(found).values()
    links = [pair for own in rows for pair in itertools.pairwise(own)]
    return Tracks(found, np.array(links, np.int64).reshape(-1, 2))


def _by_label(found: Detections) -> dict[int, list[int]]:
    """Return the positions of the detections of every label, the earliest first."""
    of: dict[int, list[int]] = {}
    for i, label in enumerate(found.label.tolist()):
        of.setdefault(label, []).append(i)
    return of


def _parents(text: Path) -> list[tuple[int, int]]:
    rows = []
    for number, line in enumerate(text.read_text().splitlines(), 1):
        fits = LINE.match(line)
        if fits:
            rows.append((int(fits[1]), int(fits[4])))
        elif line.strip():
            raise FormatError(
                f"{text}, line {number}: a track is four whole numbers (label, begin, end, "
                f"parent), got {line[:40]!r}."
            )
    return rows
