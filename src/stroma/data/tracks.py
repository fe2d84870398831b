"""Objects over time: where they were found, and which of them are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ShapeError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects of all frames, frame by frame.

    Parameters
    ----------
    frame : (n,) int64
        Frame, ascending.
    label : (n,) int64
        Name of the object in its frame: its label, or a number from 1 for points.
    position : (n, d) float64
        Centre (y, x) or (z, y, x), in pixels.
    measures : mapping of str to (n,) float64
        What else is known of each, such as "area" in pixels.
    spacing : (d,) tuple of float
        Size of a pixel along each axis, in ``unit``; ones where it is not known.
    unit : str
        "px" where the size is not known.
    interval : float or None
        Seconds between frames, where known.
    frames : int
        Number of frames; more than the last that has an object where the end is empty.
    """

    frame: Ints
    label: Ints
    position: Floats
    measures: Mapping[str, Floats] = field(default_factory=dict)
    spacing: tuple[float, ...] = ()
    unit: str = "px"
    interval: float | None = None
    frames: int = 0

    def __post_init__(self) -> None:
        """Check that all columns are of one length, and frames in order."""
        lengths = {len(self.frame), len(self.label), len(self.position)}
        lengths |= {len(column) for column in self.measures.values()}
        if len(lengths) > 1:
            raise ShapeError(f"Columns of detections have different lengths: {sorted(lengths)}.")
        if np.any(np.diff(self.frame) < 0):
            raise ShapeError("Detections are listed frame by frame; these are not.")
        last = int(self.frame[-1]) + 1 if len(self.frame) else 0
        object.__setattr__(self, "frames", max(self.frames, last))
        if not self.spacing:
            object.__setattr__(self, "spacing", (1.0,) * self.position.shape[1])

    def __len__(self) -> int:
        """Return the number of detections."""
        return len(self.frame)

    def only(self, kept: NDArray[np.bool_]) -> Detections:
        """Return some of the detections."""
        return replace(
            self,
            frame=self.frame[kept],
            label=self.label[kept],
            position=self.position[kept],
            measures={name: column[kept] for name, column in self.measures.items()},
        )

    @cached_property
    def places(self) -> Floats:
        """The (n, d) centres in ``unit``."""
        return np.asarray(self.position * np.array(self.spacing), np.float64)

    @cached_property
    def starts(self) -> Ints:
        """The (frames + 1,) positions at which each frame begins in the columns."""
        return np.searchsorted(self.frame, np.arange(self.frames + 1)).astype(np.int64)

    def of(self, frame: int) -> slice:
        """Return where the detections of a frame are in the columns."""
        return slice(int(self.starts[frame]), int(self.starts[frame + 1]))


def physical(found: Detections) -> list[tuple[str, Floats]]:
    """Return the measures of detections under headers with units: "area" in that of the places.

    Where the size of a pixel is not known, areas are in pixels and headers as the measures.
    """
    size = found.position.shape[1]
    pixel = float(np.prod(found.spacing))
    columns = []
    for name, values in found.measures.items():
        if name == "area" and found.unit != "px":
            columns.append(
                (f"{'area' if size == 2 else 'volume'}_{found.unit}{size}", values * pixel)
            )
        else:
            columns.append((name, values))
    return columns


@dataclass(frozen=True, eq=False)
class Tracks:
    """Detections, and links from each to what it becomes.

    An object with two links going out divides; one with two coming in is a merger. A link over
    several frames bridges those in which the object was not found.

    Parameters
    ----------
    detections : Detections
        The objects.
    links : (m, 2) int64
        Positions of the earlier and of the later object of each link, in the columns.
    """

    detections: Detections
    links: Ints

    def __post_init__(self) -> None:
        """Check that links lead from earlier to later objects, and sort them."""
        links = np.asarray(self.links, np.int64).reshape(-1, 2)
        if len(links) and (links.min() < 0 or links.max() >= len(self.detections)):
            raise ShapeError("A link names a detection that is not there.")
        frame = self.detections.frame
        if np.any(frame[links[:, 0]] >= frame[links[:, 1]]):
            raise ShapeError("A link leads from an earlier frame to a later one.")
        object.__setattr__(self, "links", np.unique(links, axis=0))

    @cached_property
    def children(self) -> Ints:
        """The (n,) number of links that go out of each detection."""
        return np.bincount(self.links[:, 0], minlength=len(self.detections)).astype(np.int64)

    @cached_property
    def parents(self) -> Ints:
        """The (n,) number of links that come in to each detection."""
        return np.bincount(self.links[:, 1], minlength=len(self.detections)).astype(np.int64)

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """The (m,) links that continue a track: neither from a division nor into a merger."""
        alone = (self.children[self.links[:, 0]] == 1) & (self.parents[self.links[:, 1]] == 1)
        return np.asarray(alone)

    @cached_property
    def track(self) -> Ints:
        """The (n,) track of each detection, from 1, in the order in which tracks begin."""
        return self._chains(self.plain)

    @cached_property
    def pieces(self) -> Ints:
        """The (n,) part of its track without gaps that each detection is in, from 1."""
        frame = self.detections.frame
        near = frame[self.links[:, 1]] - frame[self.links[:, 0]] == 1
        return self._chains(self.plain & near)

    def _chains(self, chosen: NDArray[np.bool_]) -> Ints:
        """Return numbers of detections, equal where some of the links join them."""
        number = np.zeros(len(self.detections), np.int64)
        before = np.full(len(self.detections), -1, np.int64)
        before[self.links[chosen, 1]] = self.links[chosen, 0]
        made = 0
        for i, earlier in enumerate(before):
            if earlier < 0:
                made += 1
                number[i] = made
            else:
                number[i] = number[earlier]
        return number

    @cached_property
    def count(self) -> int:
        """The number of tracks."""
        return int(self.track.max(initial=0))

    @cached_property
    def ends(self) -> Ints:
        """The (tracks, 2) positions of the first and the last detection of each track."""
        order = np.argsort(self.track, kind="stable")
        numbers = self.track[order]
        first = np.searchsorted(numbers, np.arange(1, self.count + 1))
        last = np.searchsorted(numbers, np.arange(1, self.count + 1), side="right") - 1
        return np.column_stack([order[first], order[last]]).astype(np.int64)

    @cached_property
    def lineage(self) -> Ints:
        """The (k, 2) tracks, earlier and later, that a division or a merger joins."""
        joints = self.links[~self.plain]
        return self.track[joints]

    @cached_property
    def mother(self) -> Ints:
        """The (tracks,) track that each came from, 0 for none; of several, the first."""
        found = np.zeros(self.count, np.int64)
        for earlier, later in self.lineage[::-1]:
            found[later - 1] = earlier
        return found

    def with_links(self, links: Ints) -> Tracks:
        """Return the same detections with other links."""
        return replace(self, links=links)
