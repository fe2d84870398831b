"""The engine that needs no download: regions along edges, a tree of them, and a random walker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stroma.data.color import rgb_to_lab
from stroma.errors import ImageError, ParameterError, ShapeError
from stroma.prompts import candidates, choosing
from stroma.prompts.colours import by_colours
from stroma.prompts.contract import Answer, Embedding, Prompts, checked, pixels
from stroma.prompts.everything import Found
from stroma.prompts.refine import REACH, STEEP, settled
from stroma.prompts.regions import Regions, cut_regions, strength
from stroma.prompts.seeds import Seeds, split_regions, tidy, without_holes
from stroma.prompts.solve import links, walk
from stroma.prompts.tree import Tree, grow

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

MANY = 2**14
"""Pixels from which on the border of a mask that comes second is left where regions end."""

BEST, FAIR, LEAST_FAIR = 5, 0.2, 0.02
"""A node is an object as likely as not where it is so many times as likely as the fifth best."""

HOLES = 1.2
"""How much larger an object is without its holes at most; the ground is often full of them."""

REPLAYED = 12
"""Clicks that follow on each other's answers; more are answered at once after these."""

RECENT = 4
"""Answers that are kept for the next click."""

DOUBT = 0.25
"""What it says against an answer to one click that it is no node."""

TOGETHER, CUT = 1.0, 1.0
"""What it says for an answer that most agree; and for a click beside, that only it cuts."""


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
    fine: float = STEEP
    reach: float = REACH


class Graph:
    """Finds objects by their edges, in planes and volumes.

    The image is cut along its edges into small regions, and these are merged pair by pair. A
    click is answered with the likeliest nodes of that tree that hold it, best in their middle, and
    in planes with what has its colours; several prompts, by a random walker on the regions that
    knows them and listens to the nodes that agree with them. Several clicks in a plane are answered
    in several ways: by the tree, by colours, by what most of these say, and by what the last click
    changes of the answer before. The likeliest is the object: the last click lies in the middle of
    what it changes, and little is lost by it.

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
        seeds = Seeds.of(given, regions)
        if len(seeds.on) == 1 and not len(seeds.beside) and not len(given.boxes) and mask is None:
            return self._of_one_click(given, seeds)
        mask_of_tree, sure = self._of_several(regions, tree, given, seeds)
        if len(given.points) > 1 and given.clicks_alone and regions.labels.ndim == 2:
            return self._of_clicks(given, seeds, mask_of_tree)
        mask_found = tidy(self._settled(mask_of_tree, seeds), given, seeds)
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
            nodes, logs = candidates.likeliest(tree, region)
            known |= zip(
                nodes.tolist(), candidates.alone(tree, nodes, logs, usual).tolist(), strict=True
            )
        best = sorted(known.values())[-BEST:][0] if known else 0.0
        fair = max(LEAST_FAIR, FAIR * best)
        for node, own in known.items():
            found = _as_found(regions, tree, node, own / (own + fair))
            if found.mask.sum() <= HOLES * tree.area[node]:
                yield found

    def _of_one_click(self, given: Prompts, seeds: Seeds) -> Answer:
        """Return nodes around a click and what has its colours, the likeliest first."""
        regions, tree = self._image()
        click = seeds.on_pixels[len(seeds.on_pixels) // 2]
        nodes, logs = candidates.clicked(regions, tree, click)
        found = [(g, _mask_of(regions, tree, int(k))) for k, g in zip(nodes, logs, strict=True)]
        if regions.labels.ndim == 2 and len(given.points):
            found = _with_colours(found, self._of_colours(given, seeds, click))
        exact = (k == 0 or m.sum() < MANY for k, (_, m) in enumerate(found))
        masks = [
            tidy(self._settled(m, seeds) if e else m, given, seeds)
            for e, (_, m) in zip(exact, found, strict=True)
        ]
        if given.clicks_alone:
            self._keep(given, masks[0])
        logs = np.array([log for log, _ in found])
        return np.stack(masks), (1 / (1 + np.exp(-logs))).astype(np.float32)

    def _of_colours(
        self, given: Prompts, seeds: Seeds, click: NDArray[np.int64]
    ) -> list[tuple[float, Bools]]:
        """Return what has the colours of a click, and how likely that is an object."""
        assert self._channels is not None
        regions, _ = self._image()
        found = []
        for mask in by_colours(self._channels, seeds.on_pixels, seeds.beside_pixels):
            whole = tidy(mask, given, seeds)
            share = np.bincount(regions.labels.ravel(), whole.ravel(), regions.count)
            held = share > 0.5 * regions.area
            held[seeds.on] = True
            step = choosing.coarse(whole.shape)
            own = choosing.middle(whole[choosing.every(step, 2)], click // step)
            found.append((candidates.score(regions, held) - DOUBT + candidates.MIDDLE * own, whole))
        return found

    def _of_several(
        self, regions: Regions, tree: Tree, given: Prompts, seeds: Seeds
    ) -> tuple[Bools, float]:
        """Return the regions that the walker reaches as a mask, and how sure it is of them."""
        prior = candidates.prior_of(regions, tree, given, seeds)
        known = seeds.known(regions, given)
        known[candidates.far(tree, prior, known)] = 0
        weights = links(regions, steep=self.settings.steep)
        found = walk(regions, weights, prior, known, listen=self.settings.listen)
        inside = found > min(0.5, found.max() / 2)  # something of a box is the object
        mask = split_regions(inside[regions.labels], seeds, regions)
        sure = np.average(np.abs(2 * found - 1), weights=regions.area * (inside + 1e-9))
        return mask, float(sure)

    def _of_clicks(self, given: Prompts, seeds: Seeds, of_tree: Bools) -> Answer:
        """Return the likeliest of what tree and colours say, together and alone."""
        assert self._channels is not None
        regions, tree = self._image()
        before = self._before(given, of_tree)
        near, onwards, *wide = by_colours(
            self._channels, seeds.on_pixels, seeds.beside_pixels, before
        )
        votes = of_tree.astype(np.uint8) + near + onwards
        last = seeds.last(given, regions)
        changed, _ = self._of_several(regions, tree, given.last(before), last)
        masks = [votes > 1, changed, of_tree, near, onwards, *wide]
        known = [TOGETHER, 0.0 if given.labels[-1] else CUT, *[0.0] * (len(masks) - 2)]
        found = masks[choosing.best(masks, known, before, given, seeds)]
        mask = tidy(self._settled(found, seeds), given, seeds)
        if len(given.points) <= REPLAYED:  # later clicks follow on none of more
            self._keep(given, mask)
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

    def _keep(self, given: Prompts, mask: Bools) -> None:
        """Keep an answer for the next click."""
        self._recent[_key(given, len(given.points))] = mask.copy()  # the answer is the caller's
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def _settled(self, mask: Bools, seeds: Seeds) -> Bools:
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


def _as_found(regions: Regions, tree: Tree, node: int, score: float) -> Found:
    """Return a node as a mask; it is stable where it stays long while others merge."""
    box, mask = _part_of(regions, tree, node)
    parent = tree.parent[node]
    after = tree.cost[parent] if parent >= 0 else np.inf
    stability = 1 - tree.cost[node] / after if after > 0 else 0.0
    return Found((box[0].start, box[1].start), mask, score, float(stability))


def _mask_of(regions: Regions, tree: Tree, node: int) -> Bools:
    """Return a node as a mask of the image."""
    found = np.zeros(regions.labels.shape, bool)
    box, mask = _part_of(regions, tree, node)
    found[box] = mask
    return found


def _part_of(regions: Regions, tree: Tree, node: int) -> tuple[tuple[slice, ...], Bools]:
    """Return the box of a node, and which of its pixels are of it; without holes."""
    low, high = tree.low[node].tolist(), tree.high[node].tolist()
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    place, first = tree.place[regions.labels[box]], tree.first[node]
    return box, without_holes((place >= first) & (place < first + tree.leaves[node]))


def _with_colours(
    found: list[tuple[float, Bools]], others: list[tuple[float, Bools]]
) -> list[tuple[float, Bools]]:
    """Return the likeliest masks that are not nearly the same, with their scores."""
    kept: list[tuple[float, Bools]] = []
    for log, mask in sorted([*found, *others], key=lambda one: -one[0]):
        if all((mask & m).sum() < candidates.APART * (mask | m).sum() for _, m in kept):
            kept.append((log, mask))
    return kept[: candidates.MOST]


def _key(given: Prompts, n: int) -> bytes:
    """Return what the first clicks are known by."""
    return given.points[:n].tobytes() + given.labels[:n].tobytes()
