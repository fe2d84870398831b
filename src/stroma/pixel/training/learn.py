"""From strokes to rows of features, for every image a model is trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.blocks.box import Box, PerAxis
from stroma.blocks.grid import holding
from stroma.data.classes import Class, complete
from stroma.data.statistics import Statistics, pool
from stroma.errors import LabelError, ParameterError, ShapeError
from stroma.features.cache import FeatureCache
from stroma.features.contract import FeatureMap
from stroma.pixel.door import Points, Source, thinned
from stroma.pixel.predicting.plan import Plan, own_statistics, plan
from stroma.pixel.predicting.predict import features_at
from stroma.pixel.predicting.recipe import Recipe
from stroma.pixel.predicting.tasks import Task, each
from stroma.pixel.training.lacking import with_data


@dataclass(frozen=True, eq=False)
class Entry:
    """One image in the training memory.

    Parameters
    ----------
    source : Source or None
        The image; None after loading a model, since files hold rows and no images.
    points : Points
        Its labelled pixels.
    statistics : Statistics
        Of the image.
    made_by : str
        Digest of what the rows depend on beside the image.
    X : (n, F) array
        Features of the labelled working pixels.
    y : (n,) uint16 array
        Their labels.
    at : (n, 4) int array or None
        Where they lie: position among planes or volumes, then z, y and x. None in files of before
        it was kept.
    """

    source: Source | None
    points: Points
    statistics: Statistics | None
    made_by: str
    X: NDArray[np.floating]
    y: NDArray[np.uint16]
    at: NDArray[np.integer] | None


class Labelled(NamedTuple):
    """An image and its labelled pixels, as given to ``train``."""

    source: Source
    points: Points


Memory = Mapping[str, Entry]

MOST_SLICES = 8
"""Labelled planes of a volume above which its blocks are as deep as for segmentation."""


def learn(
    memory: Memory,
    given: Mapping[str, Labelled],
    recipe: Recipe,
    *,
    pooled: bool,
    cap: int,
    cache: FeatureCache,
) -> tuple[dict[str, Entry], Statistics | None]:
    """Return the memory with the given images in place of what was known of them.

    The old memory is untouched, so nothing is lost when this fails. Rows that were made under
    other parameters are made again.

    Parameters
    ----------
    memory : mapping of str to Entry
        What is known, by image.
    given : mapping of str to Labelled
        Images with all their current strokes.
    recipe : Recipe
        From pixels to features.
    pooled : bool
        Normalise by the statistics of all images together (``norm_from="training"``).
    cap : int
        Labelled pixels per class and image that rows are made of.
    cache : FeatureCache
        Where the features of blocks are kept.

    Returns
    -------
    memory : dict of str to Entry
    statistics : Statistics or None
        Those all images were normalised by, if pooled.
    """
    statistics = {
        key: _statistics(s.source, recipe) for key, s in given.items() if len(s.points.label)
    }
    kept = {key: e for key, e in memory.items() if key not in given}
    common = None
    if pooled and recipe.normalize != 1:
        known = [*statistics.values(), *(e.statistics for e in kept.values() if len(e.y))]
        common = pool(s for s in known if s is not None) if known else None
    facts = repr((recipe, recipe.pipeline.provenance(), common, cap))
    made_by = hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()
    entries = {k: _current(k, e, recipe, common, made_by, cap, cache) for k, e in kept.items()}
    for key, strokes in given.items():
        X, at = rows(strokes.source, strokes.points, recipe, common, cap=cap, cache=cache)
        own = statistics.get(key)
        entries[key] = Entry(strokes.source, strokes.points, own, made_by, X, at.label, at.places)
    _require_equal_channels(entries)
    return entries, common


def _statistics(source: Source, recipe: Recipe) -> Statistics | None:
    if recipe.normalize == 1:
        return None
    return own_statistics(source, replace(recipe, normalize=2), source.image)


def _current(
    key: str,
    entry: Entry,
    recipe: Recipe,
    common: Statistics | None,
    made_by: str,
    cap: int,
    cache: FeatureCache,
) -> Entry:
    """Return a remembered image with rows made under the present parameters."""
    if entry.made_by == made_by or not len(entry.y):
        return entry
    if entry.source is None:
        raise ParameterError(
            f"The parameters or statistics changed, so the features of the remembered image "
            f"{key!r} must be computed again, but a saved model holds no images. Pass this image "
            f"with its annotations too, or call reset_training().",
            told=f"The settings changed, so the strokes on {key!r} have to be learned again, and "
            f"that image is not open. Open it, or train without it.",
        )
    X, at = rows(entry.source, entry.points, recipe, common, cap=cap, cache=cache)
    return replace(entry, made_by=made_by, X=X, y=at.label, at=at.places)


def _require_equal_channels(entries: Memory) -> None:
    widths = {key: e.X.shape[1] for key, e in entries.items() if len(e.y)}
    if len(set(widths.values())) > 1:
        listed = ", ".join(f"{key!r}: {width}" for key, width in widths.items())
        raise ShapeError(
            f"The images have different numbers of channels, so their features do not match "
            f"({listed}). Give images with equal channels, choose channels with in_channels, or "
            f"call reset_training() to forget earlier images.",
            told="The images have different numbers of channels, so one model cannot learn from "
            "all of them. Train on images of one kind.",
        )


def require_every_class(
    memory: Memory, factor: int | PerAxis, classes: Sequence[Class] = ()
) -> None:
    """Raise where a painted class has no working pixel of its own.

    Raises
    ------
    LabelError
        Naming the labels that would not be learned.
    """
    painted = {int(k) for e in memory.values() for k in np.unique(e.points.label)}
    learned = {int(k) for e in memory.values() for k in np.unique(e.y)}
    if painted - learned:
        lost = sorted(painted - learned)
        names = ", ".join(one.name for one in complete(classes, lost))
        if _only_without_data(memory, lost):
            raise LabelError(
                f"The strokes of {lost} lie on pixels that hold no data (NaN), of which nothing "
                f"is learnt. Paint where the image has values.",
                told=f"The strokes of {names} lie where the image has no values. Paint them where "
                "it has some.",
            )
        raise LabelError(
            f"With image_downsample={factor}, the strokes of {lost} lie in "
            f"working pixels that hold more of another class. Reduce the image less, or paint the "
            f"classes further apart.",
            told=f"The image is reduced {factor} times, and the strokes of {names} disappear "
            "beneath others. Reduce it less, or paint the classes further apart.",
        )


def _only_without_data(memory: Memory, labels: Sequence[int]) -> bool:
    known = (
        with_data(e.points, e.source) if e.source is not None else e.points for e in memory.values()
    )
    return not any(np.isin(points.label, labels).any() for points in known)


def rows(
    source: Source,
    points: Points,
    recipe: Recipe,
    common: Statistics | None,
    *,
    cap: int,
    cache: FeatureCache,
) -> tuple[NDArray[np.floating], Marked]:
    """Return the features of the labelled working pixels of one image, and these pixels.

    Pixels without data are left out; whether there are any shows when features are computed.
    """
    X, at = _rows(source, points, recipe, common, cap, cache)
    known = with_data(points, source)
    if known is points:
        return X, at
    if not len(known.label):
        return X[:0], at.taken(np.zeros(0, np.intp))
    return _rows(source, known, recipe, common, cap, cache)


def _rows(
    source: Source,
    points: Points,
    recipe: Recipe,
    common: Statistics | None,
    cap: int,
    cache: FeatureCache,
) -> tuple[NDArray[np.floating], Marked]:
    chosen = marked(points, recipe, source).thinned(cap)
    held = list(holders(source, chosen, recipe, common))
    if not held:
        return np.zeros((0, 0), np.float32), chosen.taken(np.zeros(0, np.intp))

    def one(number: int, task: Task, maps: Sequence[FeatureMap]) -> NDArray[np.floating]:
        return features_at(task, maps, chosen.zyx[held[number][1]])

    X = list(each(one, [task for task, _ in held], cache))
    return np.concatenate(X), chosen.taken(np.concatenate([members for _, members in held]))


def holders(
    source: Source, points: Marked, recipe: Recipe, statistics: Statistics | None
) -> Iterator[tuple[Task, NDArray[np.intp]]]:
    """Yield the blocks that hold labelled working pixels, each with the positions of its points.

    Of a volume these are blocks one plane deep, unless many of its planes are labelled.

    Parameters
    ----------
    source : Source
        The image.
    points : Marked
        Labelled working pixels, see ``marked``.
    recipe : Recipe
        From pixels to features.
    statistics : Statistics or None
        Those to normalise by, instead of the image's own.
    """
    parts = recipe.parts(source)
    for across, group in _slices(points, recipe, source):
        for index in np.unique(points.part[group]).tolist():
            members = group[points.part[group] == index]
            zyx, current = points.zyx[members], plan(source, parts[index], recipe, statistics)
            for block, held in holding(current.blocks(around(zyx, current), across=across), zyx):
                yield Task(parts[index], current, block), members[held]


def _slices(
    points: Marked, recipe: Recipe, source: Source
) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield the positions of points that are looked up together, and how their blocks are cut.

    Whoever paints on a plane across z, y or x of a volume leaves points on few such planes, whose
    blocks are as thin, and which the view of that plane needs as well. Of many planes, volumes are
    looked at in deep blocks; extractors of planes look at planes across z.
    """
    if source.depth == 1:
        yield "z", np.arange(len(points.label))
        return
    time, zyx = _places(points, recipe, source)
    for t in np.unique(time):
        here = np.flatnonzero(time == t)
        groups = list(_on_few_planes(zyx[here]))
        cut = sum(across != "z" for across, _ in groups)
        if (cut if recipe.axes == "yx" else len(groups)) > MOST_SLICES:
            yield "z", here
        else:
            yield from ((across, here[group]) for across, group in groups)


def _places(
    points: Marked, recipe: Recipe, source: Source
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the (n,) time and the (n, 3) place in the volume of working pixels."""
    if recipe.axes == "zyx":
        return points.part, points.zyx
    time, z = np.divmod(points.part, source.depth)
    return time, np.column_stack([z, points.zyx[:, 1:]])


def _on_few_planes(zyx: NDArray[np.intp]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Yield the positions of (n, 3) points by plane: of the three through each, the fullest."""
    counts = [np.bincount(along) for along in zyx.T]
    fullest = np.zeros(len(zyx), np.intp)
    if counts[0][counts[0] > 0].min() < max(counts[1].max(), counts[2].max()):
        fullest = np.argmax([n[at] for n, at in zip(counts, zyx.T, strict=True)], axis=0)
    for axis, across in enumerate("zyx"):
        chosen = np.flatnonzero(fullest == axis)
        at = zyx[chosen, axis]
        order = chosen[np.argsort(at, kind="stable")]
        yield from ((across, cut) for cut in np.split(order, _ends(at)) if len(cut))


def _ends(at: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where groups of equal numbers, sorted, end."""
    return np.cumsum(np.unique(at, return_counts=True)[1])[:-1]


@dataclass(frozen=True, eq=False)
class Marked:
    """Labelled working pixels of one image.

    Parameters
    ----------
    part : (n,) int array
        Position among its planes or volumes, see ``Recipe.parts``.
    zyx : (n, 3) int array
        Working pixel; z is 0 in planes.
    label : (n,) uint16 array
        1 to 65535.
    depth : int
        Planes of a part.
    """

    part: NDArray[np.intp]
    zyx: NDArray[np.intp]
    label: NDArray[np.uint16]
    depth: int = 1

    def thinned(self, cap: int) -> Marked:
        """Keep at most ``cap`` pixels of every label, see ``door.thinned``."""
        place = np.arange(len(self.label))
        numbered = np.column_stack([self.zyx[:, 1:], place])
        plane = self.part * self.depth + self.zyx[:, 0]
        return self.taken(thinned(Points(plane, numbered, self.label), cap).yx[:, 2])

    def taken(self, kept: NDArray[np.intp]) -> Marked:
        """Return some of the pixels, in that order."""
        return Marked(self.part[kept], self.zyx[kept], self.label[kept], self.depth)

    @property
    def places(self) -> NDArray[np.int32]:
        """The (n, 4) part, z, y and x of every pixel."""
        return np.column_stack([self.part, self.zyx]).astype(np.int32)


def marked(points: Points, recipe: Recipe, source: Source) -> Marked:
    """Return labelled pixels as labelled working pixels."""
    grid = recipe.grid(source)
    planes = grid.image_shape[0]
    parts: list[Any] = [(np.zeros(0, np.intp), np.zeros((0, 3), np.intp), points.label[:0])]
    for index in np.unique(points.plane // planes):
        here = points.plane // planes == index
        zyx = np.column_stack([points.plane[here] % planes, points.yx[here]])
        cells, labels = grid.mark(zyx, points.label[here])
        parts.append((np.full(len(labels), index), cells, labels))
    part, zyx, label = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Marked(part, zyx, label, grid.shape[0])


def located(points: Points, recipe: Recipe, source: Source) -> Marked:
    """Return the working pixel in which every labelled pixel lies, one for each."""
    grid = recipe.grid(source)
    planes = grid.image_shape[0]
    pixels = np.column_stack([points.plane % planes, points.yx])
    cells = pixels // np.array(grid.down) * np.array(grid.up)
    return Marked(points.plane // planes, cells, points.label, grid.shape[0])


def around(zyx: NDArray[np.intp], current: Plan) -> Box:
    """Return the pixels of the image around some working pixels."""
    box = Box.between(zyx.min(axis=0).tolist(), (zyx.max(axis=0) + 1).tolist())
    return current.grid.pixels(box.aligned(current.grid.up))
