"""The engine that needs no download: regions along edges, a tree of them, and a random walker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from stroma.data.color import rgb_to_lab
from stroma.errors import ImageError, ParameterError, ShapeError
from stroma.prompts import candidates
from stroma.prompts.colours import Colours
from stroma.prompts.contract import (
    OBJECT,
    REST,
    Answer,
    Embedding,
    Prompts,
    checked,
    pixels,
)
from stroma.prompts.everything import Found
from stroma.prompts.refine import settled
from stroma.prompts.regions import Regions, cut_regions, strength
from stroma.prompts.solve import links, walk
from stroma.prompts.tree import Tree, grow

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MOST = 3
"""Masks that one click is answered with."""

MANY = 2**14
"""Pixels from which on the border of a mask that comes second is left where regions end."""

MOST_SEEDS = 128
"""Regions with prompts whose nodes are looked at; all of them are known to the walker."""

LIKELY, MARGIN = 0.02, 16.0
"""From when on a region counts as likely, and how many pixels around those are looked at."""

BEST, FAIR, LEAST_FAIR = 5, 0.2, 0.02
"""A node is an object as likely as not where it is so many times as likely as the fifth best."""

HOLES = 1.2
"""How much larger an object is without its holes at most; the ground is often full of them."""

APART = 0.75
"""Overlap above which two masks mean the same."""

REPLAYED = 12
"""Clicks that follow on each other's answers; more are answered at once after these."""

RECENT = 4
"""Answers that are kept for the next click."""


@dataclass(frozen=True)
class Settings:
    """How the engine `Graph` works; ``benchmarks/prompts.py`` measures it.

    Parameters
    ----------
    sigma : float
        Width of the Gaussian that edges are found with, in pixels.
    weight : float
        How much a difference of colour counts beside an edge when regions merge.
    soft : float
        Regions of fewer pixels merge more readily.
    steep : float
        How much edges hinder the walker.
    listen : float
        How much the walker listens to what the tree makes likely.
    fine : float
        How much differences between pixels hinder the walker that settles the border.
    reach : float
        How far it may move the border, as a part of the object's radius.
    """

    sigma: float = 1.0
    weight: float = 1.0
    soft: float = 300.0
    steep: float = 2.0
    listen: float = 0.3
    fine: float = 60.0
    reach: float = 0.4


class Graph:
    """Finds objects by their edges, in planes and volumes.

    The image is cut along its edges into small regions, and these are merged pair by pair. A
    click is answered with the likeliest nodes of that tree that hold it; several prompts, by a
    random walker on the regions that knows them and listens to the nodes that agree with them.
    Several clicks in a plane are also answered by the colours on both sides, from the clicks alone
    and from the answer before the last of them; what two of these three say is the object.

    Parameters
    ----------
    settings : Settings
        How it works.
    """

    axes = ("yx", "zyx")
    least = (0.5, 0.0)

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._channels: NDArray[np.float32] | None = None
        self._regions: Regions | None = None
        self._tree: Tree | None = None
        self._recent: dict[bytes, Bools] = {}

    @property
    def key(self) -> str:
        """Name, version and parameters."""
        return f"graph 1 {self.settings}"

    def set_image(self, image: NDArray[Any], *, rgb: bool = False) -> None:
        """Cut the image into regions and merge them; see `PromptedSegmenter`."""
        channels = ready(image, rgb=rgb)
        edges = strength(channels, self.settings.sigma)
        self._channels = channels
        self._regions = cut_regions(channels, edges)
        self._tree = grow(self._regions, weight=self.settings.weight, soft=self.settings.soft)
        self._recent = {}

    def embedding(self) -> Embedding:
        """Return the regions and the tree."""
        regions, tree = self._image()
        parts: dict[str, Regions | Tree] = {"regions": regions, "tree": tree}
        known = {f"{p}.{f.name}": getattr(v, f.name) for p, v in parts.items() for f in fields(v)}
        return {"channels": np.asarray(self._channels), **known}

    def set_embedding(self, embedding: Embedding) -> None:
        """Take regions and tree."""
        self._channels = embedding["channels"]
        self._regions = Regions(**{f.name: embedding[f"regions.{f.name}"] for f in fields(Regions)})
        self._tree = Tree(**{f.name: embedding[f"tree.{f.name}"] for f in fields(Tree)})
        self._recent = {}

    def predict(
        self,
        *,
        points: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        mask: ArrayLike | None = None,
        strokes: ArrayLike | None = None,
    ) -> Answer:
        """Return masks of the object that is meant; see `PromptedSegmenter`."""
        regions, tree = self._image()
        given = checked(
            regions.labels.shape,
            points=points,
            labels=labels,
            boxes=boxes,
            mask=mask,
            strokes=strokes,
        )
        seeds = _Seeds.of(given, regions)
        if len(seeds.on) == 1 and not len(seeds.beside) and not len(given.boxes) and mask is None:
            masks, scores = _of_one_click(regions, tree, int(seeds.on[0]))
            exact = (k == 0 or m.sum() < MANY for k, m in enumerate(masks))
            found = [self._settled(m, seeds) if e else m for m, e in zip(masks, exact, strict=True)]
            return np.stack([_tidy(m, given, seeds) for m in found]), scores
        mask_of_tree, sure = self._of_several(regions, tree, given, seeds)
        if len(given.points) > 1 and given.clicks_alone and regions.labels.ndim == 2:
            return self._of_clicks(given, seeds, mask_of_tree)
        mask_found = _tidy(self._settled(mask_of_tree, seeds), given, seeds)
        return mask_found[None], np.array([sure], np.float32)

    def proposals(self, points: Floats) -> Iterator[Found]:
        """Yield the likeliest nodes around clicks, each once; see `Proposes`.

        Scores tell how a node stands against the best of this image.
        """
        regions, tree = self._image()
        if regions.labels.ndim != 2:
            raise ParameterError("All objects are looked for in planes, not in volumes.")
        rows, columns = pixels(points, regions.labels.shape)
        usual = (
            float(np.average(regions.edge, weights=regions.length)) if len(regions.edge) else 1.0
        )
        known: dict[int, float] = {}
        for region in np.unique(regions.labels[rows, columns]).tolist():
            nodes, logs = _chosen(tree, region)
            known |= zip(nodes.tolist(), _alone(tree, nodes, logs, usual).tolist(), strict=True)
        best = sorted(known.values())[-BEST:][0] if known else 0.0
        fair = max(LEAST_FAIR, FAIR * best)
        for node, own in known.items():
            found = _as_found(regions, tree, node, own / (own + fair))
            if found.mask.sum() <= HOLES * tree.area[node]:
                yield found

    def _of_several(
        self, regions: Regions, tree: Tree, given: Prompts, seeds: _Seeds
    ) -> tuple[Bools, float]:
        """Return the regions that the walker reaches as a mask, and how sure it is of them."""
        prior = _prior(regions, tree, given, seeds)
        known = seeds.known(regions, given)
        known[_far(tree, prior, known)] = 0
        weights = links(regions, steep=self.settings.steep)
        found = walk(regions, weights, prior, known, listen=self.settings.listen)
        inside = found > min(0.5, found.max() / 2)  # something of a box is the object
        mask = _split_regions(inside[regions.labels], seeds, regions)
        sure = np.average(np.abs(2 * found - 1), weights=regions.area * (inside + 1e-9))
        return mask, float(sure)

    def _of_clicks(self, given: Prompts, seeds: _Seeds, of_tree: Bools) -> Answer:
        """Return what two say of the tree, the colours of the clicks and those of before."""
        assert self._channels is not None
        on, beside = seeds.on_pixels, seeds.beside_pixels
        before = self._before(given, of_tree)
        colours = Colours.around(self._channels, before, np.concatenate([on, beside]))
        votes = np.zeros(of_tree.shape, np.uint8)
        votes[colours.box] += colours.afresh(on, beside)
        votes[colours.box] += colours.onwards(on, beside, before)
        votes += of_tree
        mask = _tidy(self._settled(votes > 1, seeds), given, seeds)
        self._recent[_key(given, len(given.points))] = mask.copy()  # the answer may be written to
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        sure = (votes == 3).sum() / max(1, (votes > 0).sum())
        return mask[None], np.array([sure], np.float32)

    def _before(self, given: Prompts, of_tree: Bools) -> Bools:
        """Return the answer to the clicks before the last; that of the tree where there is none."""
        n = min(len(given.points) - 1, REPLAYED)
        if not given.labels[:n].any():
            return of_tree
        known = self._recent.get(_key(given, n))
        if known is not None:
            return known
        found, _ = self.predict(points=given.points[:n], labels=given.labels[:n])
        return np.asarray(found[0])

    def _settled(self, mask: Bools, seeds: _Seeds) -> Bools:
        assert self._channels is not None
        return settled(
            mask,
            self._channels,
            on=seeds.on_pixels,
            beside=seeds.beside_pixels,
            steep=self.settings.fine,
            reach=self.settings.reach,
        )

    def _image(self) -> tuple[Regions, Tree]:
        if self._regions is None or self._tree is None:
            raise ParameterError("There is no image yet. Give one with set_image.")
        return self._regions, self._tree


@dataclass(frozen=True, eq=False)
class _Seeds:
    """Regions that prompts lie in, and pixels: (n, d) where the object is, and where it is not."""

    on: NDArray[np.int64]
    beside: NDArray[np.int64]
    on_pixels: NDArray[np.int64]
    beside_pixels: NDArray[np.int64]
    order: tuple[tuple[int, bool], ...]

    def in_order(self) -> list[tuple[int, bool]]:
        """Return regions with a click or stroke, in the order of the clicks; each once."""
        return list(dict.fromkeys(self.order))[:MOST_SEEDS]

    @classmethod
    def of(cls, given: Prompts, regions: Regions) -> _Seeds:
        """Return the seeds of prompts."""
        places = np.stack(pixels(given.points, regions.labels.shape), axis=1)
        on, beside = places[given.labels], places[~given.labels]
        if given.strokes is not None:
            on = np.concatenate([on, np.argwhere(given.strokes == OBJECT)])
            beside = np.concatenate([beside, np.argwhere(given.strokes == REST)])
        within = [np.unique(regions.labels[tuple(p.T)]).astype(np.int64) for p in (on, beside)]
        clicked = regions.labels[tuple(places.T)].tolist()
        order = [*zip(clicked, given.labels.tolist(), strict=True)]
        order += [(int(r), True) for r in within[0]] + [(int(r), False) for r in within[1]]
        mixed = set(within[0].tolist())
        order = [(r, on) for r, on in order if on or r not in mixed]
        return cls(within[0], np.setdiff1d(within[1], within[0]), on, beside, tuple(order))

    def known(self, regions: Regions, given: Prompts) -> Floats:
        """Return 1 and 0 for regions that are known, NaN for others."""
        known = np.full(regions.count, np.nan)
        if len(given.boxes):
            boxed = np.bincount(regions.labels.ravel(), _boxed(given, regions.labels.shape).ravel())
            known[boxed < 0.5 * regions.area] = 0
        known[self.beside] = 0
        known[self.on] = 1
        return known


def ready(image: NDArray[Any], *, rgb: bool) -> NDArray[np.float32]:
    """Return channels of comparable size: CIELAB of colours, others by their percentiles.

    Raises
    ------
    ShapeError
        If the image is not (C, y, x) or (C, z, y, x), or empty.
    ImageError
        If it has values that are NaN or infinite.
    """
    if image.ndim not in (3, 4) or not image.size:
        raise ShapeError(f"An image is (C, y, x) or (C, z, y, x), got shape {image.shape}.")
    if not np.isfinite(image).all():
        raise ImageError("The image has values that are NaN or infinite. Replace them first.")
    few = image[(slice(None), *(slice(None, None, max(1, n // 512)) for n in image.shape[1:]))]
    if rgb:
        low, high = (float(v) for v in np.percentile(few, (0.5, 99.5)))
        return np.asarray(rgb_to_lab(image, low, high) / 100, np.float32)
    axes = tuple(range(1, image.ndim))
    low, high = np.percentile(few, (1, 99), axis=axes, keepdims=True)
    span = np.maximum(high - low, 1e-6)
    return np.asarray(np.clip((image - low) / span, -0.5, 2), np.float32)


def _alone(tree: Tree, nodes: NDArray[np.int64], logs: Floats, usual: float) -> Floats:
    """Return how likely nodes are objects where nobody clicked, from 0 to 1.

    Beside what a click asks of it, the border of an object is clearer than borders are in this
    image, and it is large. Fitted on every second image of nuclei, cells in phase contrast and
    white blood cells.
    """
    clear = np.log(tree.edge[nodes] / (usual + 1e-9) + 1e-3)
    sides = tree.frame[nodes]
    known = 1.5 * logs + 1.6 * clear + 0.7 * np.log(tree.area[nodes]) - 11.7
    known -= 5 * sides / (sides + tree.border[nodes] + 1e-9)  # what is cut off is often the ground
    return np.asarray(1 / (1 + np.exp(-known)))


def _as_found(regions: Regions, tree: Tree, node: int, score: float) -> Found:
    """Return a node as a mask; it is stable where it stays long while others merge."""
    low, high = tree.low[node].astype(int), tree.high[node].astype(int)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    place = tree.place[regions.labels[box]]
    first = tree.first[node]
    mask = _without_holes((place >= first) & (place < first + tree.leaves[node]))
    parent = tree.parent[node]
    after = tree.cost[parent] if parent >= 0 else np.inf
    stability = 1 - tree.cost[node] / after if after > 0 else 0.0
    return Found((int(low[0]), int(low[1])), mask, score, float(stability))


def _chosen(tree: Tree, region: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the likeliest nodes around a region that are not nearly the same, and their scores."""
    nodes, logs = candidates.chain(tree, region, np.array([region]), np.array([], np.int64))
    chosen: list[int] = []
    for i in np.argsort(-logs, kind="stable"):
        sizes = tree.area[nodes[chosen]]
        small, big = np.minimum(sizes, tree.area[nodes[i]]), np.maximum(sizes, tree.area[nodes[i]])
        if (small < APART * big).all():  # nodes of one chain lie within each other
            chosen.append(int(i))
        if len(chosen) == MOST:
            break
    return nodes[chosen], logs[chosen]


def _of_one_click(regions: Regions, tree: Tree, region: int) -> Answer:
    """Return the masks of the likeliest nodes around a click."""
    nodes, logs = _chosen(tree, region)
    masks = []
    for node in nodes:
        inside = np.zeros(regions.count, bool)
        inside[tree.regions(int(node))] = True
        masks.append(_without_holes(inside[regions.labels]))
    return np.stack(masks), (1 / (1 + np.exp(-logs))).astype(np.float32)


def _prior(regions: Regions, tree: Tree, given: Prompts, seeds: _Seeds) -> Floats:
    """Return how likely each region is of the object, by the nodes that agree with the prompts.

    Prompts are taken in their order: a later click adds to what was likely before, or takes away.
    """
    prior = np.zeros(regions.count)
    for box in given.boxes:
        prior = np.maximum(prior, _of_box(tree, box, seeds))
    if given.mask is not None:
        prior = np.bincount(regions.labels.ravel(), given.mask.ravel()) / regions.area
    for region, on in seeds.in_order():
        with_, without = (seeds.on, seeds.beside) if on else (seeds.beside, seeds.on)
        nodes, logs = candidates.chain(tree, region, with_, without, strict=not on)
        logs += candidates.change(tree, nodes, prior * regions.area, add=on)
        likely = candidates.likely(tree, nodes, logs)
        prior = 1 - (1 - prior) * (1 - likely) if on else prior * (1 - likely)
    return prior


def _of_box(tree: Tree, box: Floats, seeds: _Seeds) -> Floats:
    """Return how likely each region is of the object, by nodes that fill a box."""
    low, high = box[0] - 0.5, box[1] + 0.5
    both = np.prod(
        np.clip(np.minimum(tree.high - 0.5, high) - np.maximum(tree.low - 0.5, low), 0, None), 1
    )
    either = np.prod(tree.high - tree.low, 1) + np.prod(high - low) - both
    overlap = both / either
    nodes = np.flatnonzero(overlap >= min(0.3, overlap.max()))
    clear = candidates.count_within(tree, nodes, seeds.beside) == 0
    nodes = nodes[clear] if clear.any() else nodes
    logs = candidates.scores(tree, nodes) + 6 * overlap[nodes]
    return candidates.likely(tree, nodes, logs)


def _far(tree: Tree, prior: Floats, known: Floats) -> Bools:
    """Return the regions that are too far from all that is likely to be asked about."""
    n = len(prior)
    low, high = tree.low[:n], tree.high[:n]
    near = (prior > LIKELY) | (known == 1)
    if not near.any():
        return np.zeros(n, bool)
    first, last = low[near].min(0), high[near].max(0)
    margin = MARGIN + (last - first) / 4
    outside = (high < first - margin) | (low > last + margin)
    return np.asarray(outside.any(axis=1) & np.isnan(known))


def _key(given: Prompts, n: int) -> bytes:
    """Return what the first clicks are known by."""
    return given.points[:n].tobytes() + given.labels[:n].tobytes()


def _boxed(given: Prompts, shape: tuple[int, ...]) -> Bools:
    """Return the pixels within the boxes."""
    inside = np.zeros(shape, bool)
    for low, high in given.boxes:
        first = np.clip(np.rint(low), 0, None).astype(int)
        inside[tuple(slice(a, int(b) + 1) for a, b in zip(first, np.rint(high), strict=True))] = (
            True
        )
    return inside


def _tidy(mask: Bools, given: Prompts, seeds: _Seeds) -> Bools:
    """Return a mask without holes and without parts that no prompt lies in."""
    if len(given.boxes):
        mask &= _boxed(given, mask.shape) | _at(seeds.on_pixels, mask.shape)
    parts, count = ndimage.label(mask)
    if count > 1 and len(seeds.on_pixels):
        kept = np.zeros(count + 1, bool)
        kept[parts[tuple(seeds.on_pixels.T)]] = True
        kept[0] = False
        mask = kept[parts]
    elif count > 1:
        mask = parts == np.bincount(parts.ravel())[1:].argmax() + 1
    filled = _without_holes(mask)
    if len(seeds.beside_pixels):
        holes, _ = ndimage.label(filled & ~mask)
        meant = np.unique(holes[tuple(seeds.beside_pixels.T)])
        filled &= ~np.isin(holes, meant[meant > 0])
        filled[tuple(seeds.beside_pixels.T)] = False
    if len(seeds.on_pixels):
        filled[tuple(seeds.on_pixels.T)] = True
    return filled


def _split_regions(mask: Bools, seeds: _Seeds, regions: Regions) -> Bools:
    """Share out regions in which there are prompts of both kinds: each pixel to the nearest."""
    if not len(seeds.on_pixels) or not len(seeds.beside_pixels):
        return mask
    beside = regions.labels[tuple(seeds.beside_pixels.T)]
    for region in np.intersect1d(beside, seeds.on):
        places = np.argwhere(regions.labels == region)
        near = [_nearest(places, p) for p in (seeds.on_pixels, seeds.beside_pixels)]
        mask[tuple(places.T)] = near[0] < near[1]
    return mask


def _nearest(places: NDArray[np.int64], points: NDArray[np.int64]) -> Floats:
    apart = places[:, None] - points[None]
    return np.asarray((apart**2).sum(2).min(1), np.float64)


def _at(places: NDArray[np.int64], shape: tuple[int, ...]) -> Bools:
    found = np.zeros(shape, bool)
    found[tuple(places.T)] = True
    return found


def _without_holes(mask: Bools) -> Bools:
    """Fill holes, looking only at the box around the mask."""
    if not mask.any():
        return mask
    [box] = ndimage.find_objects(mask.view(np.uint8))
    beside, _ = ndimage.label(np.pad(~mask[box], 1, constant_values=True))
    mask[box] = (beside != beside.flat[0])[(slice(1, -1),) * mask.ndim]
    return mask
