"""Which nodes of a tree may be the object that is meant, and how likely each is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.prompts.choosing import coarse, every, middle
from stroma.prompts.contract import Prompts
from stroma.prompts.regions import Regions
from stroma.prompts.seeds import Seeds
from stroma.prompts.tree import Tree

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Nodes = NDArray[np.int64]

SMALL = 30.0
"""Pixels below which an object is unlikely."""

LARGE = 0.35
"""Part of the image above which an object is unlikely."""

ROUND = 1.5
"""How much the form counts: how well an ellipse describes it."""

AGREE, AGAINST = 1.0, 1.5
"""What it says for a node to hold another click on the object; against it, to hold one beside."""

CHANGE = 1.5
"""How unlikely it is that a later click changes much of the object."""

SHARPNESS = 3.0
"""How far the likeliest node stands out from the next."""

LIKELY, MARGIN = 0.02, 16.0
"""From when on a region counts as likely, and how many pixels around those are looked at."""

APART = 0.75
"""Overlap above which two masks mean the same."""

MOST = 3
"""Masks that one click is answered with."""

MIDDLE, LOOKED = 0.7, 16
"""How much it says for a node that it is clicked in its middle; of how many that is asked."""

LASTING = 0.15
"""What is said for regions that are no node, for a form that lasts."""


def scores(tree: Tree, nodes: Nodes) -> Floats:
    """Return how much each node looks like an object: a logarithm, 0 for a fair one.

    An object has a clear edge all around and none as clear inside, keeps its form while what is
    around it merges, is compact, and is neither a speck nor most of the image.
    """
    up = np.where(tree.parent[nodes] < 0, nodes, tree.parent[nodes])
    lasting = np.log((tree.cost[up] + 1e-6) / (tree.cost[nodes] + 1e-3))
    alike = _alike(
        area=tree.area[nodes],
        edge=tree.edge[nodes],
        inside=tree.inside[nodes],
        border=tree.border[nodes],
        frame=tree.frame[nodes],
        form=roundness(tree, nodes),
        whole=tree.area[-1],
    )
    return np.asarray(alike + 0.5 * np.clip(lasting, -1, 2))


def score(regions: Regions, held: Bools) -> float:
    """Return how much regions together look like an object, as `scores` of a node that lasts a bit.

    Parameters
    ----------
    regions : Regions
        All of them.
    held : (n,) bool
        Which.
    """
    crossed = held[regions.pairs[:, 0]] != held[regions.pairs[:, 1]]
    border = regions.length[crossed].sum()
    edge = (regions.edge[crossed] * regions.length[crossed]).sum() / max(border, 1)
    area = regions.area[held].sum()
    alike = _alike(
        area=area,
        edge=edge,
        inside=regions.inside[held].sum(),
        border=border,
        frame=regions.frame[held].sum(),
        form=_form(area[None], regions.moments[held].sum(0)[None])[0],
        whole=regions.area.sum(),
    )
    return float(alike + LASTING)


def _alike(
    *, area: Any, edge: Any, inside: Any, border: Any, frame: Any, form: Any, whole: float
) -> Any:
    """Return what edges, form and size say for an object."""
    contrast = np.log((edge + 1e-6) / (inside / area + 1e-3))
    small = np.maximum(0, np.log(SMALL / area))
    large = np.maximum(0, np.log(area / (LARGE * whole)))
    return (
        np.clip(contrast, -2, 2)
        + ROUND * np.log(np.clip(form, 0.05, 1))
        - 2 * frame / (frame + border + 1e-9)
        - 1.5 * small
        - 4 * large
        + 0.15 * np.log(area)
    )


def roundness(tree: Tree, nodes: Nodes) -> Floats:
    """Return the size of each node relative to the ellipse (or ellipsoid) of its moments."""
    return _form(tree.area[nodes], tree.moments[nodes])


def _form(area: Floats, sums: Floats) -> Floats:
    """Return sizes (n,) relative to the ellipses of sums of coordinates and their products."""
    d = _axes(sums)
    moments = sums / area[:, None]
    spread = np.zeros((len(area), d, d))
    upper = [(i, j) for i in range(d) for j in range(i, d)]
    for k, (i, j) in enumerate(upper):
        spread[:, i, j] = spread[:, j, i] = moments[:, d + k] - moments[:, i] * moments[:, j]
    spread += np.eye(d) / 12
    ball = math.pi ** (d / 2) / math.gamma(d / 2 + 1) * (d + 2) ** (d / 2)
    return np.asarray(area / (ball * np.sqrt(np.maximum(np.linalg.det(spread), 1e-12))))


def _axes(moments: Floats) -> int:
    """Return the number of axes, of which the moments are those of first and second order."""
    width = moments.shape[1]
    return next(d for d in (1, 2, 3) if d + d * (d + 1) // 2 == width)


def count_within(tree: Tree, nodes: Nodes, regions: Nodes) -> NDArray[np.int64]:
    """Return how many of the regions lie within each node."""
    place = np.sort(tree.place[regions])
    ends = tree.first[nodes] + tree.leaves[nodes]
    return np.asarray(np.searchsorted(place, ends) - np.searchsorted(place, tree.first[nodes]))


def chain(
    tree: Tree, region: int, on: Nodes, beside: Nodes, *, strict: bool = False
) -> tuple[Nodes, Floats]:
    """Return the nodes around a region, and how likely each is what is meant by it.

    Parameters
    ----------
    tree : Tree
        All nodes.
    region : int
        Where the object is.
    on, beside : (n,) int64
        Regions known to belong to the object, and not to.
    strict : bool
        Whether nodes that hold what is beside are left out.

    Returns
    -------
    nodes : (k,) int64
        The smallest first.
    logarithms : (k,) float64
        Their scores, more where they hold more of what is known and less where they hold what is
        beside.
    """
    nodes = tree.ancestors(region)
    agree = count_within(tree, nodes, on) - 1
    against = count_within(tree, nodes, beside)
    if strict:
        clear = against == 0
        clear[0] = True
        nodes, agree, against = nodes[clear], agree[clear], against[clear]
    return nodes, scores(tree, nodes) + AGREE * agree - AGAINST * against


def change(tree: Tree, nodes: Nodes, held: Floats, *, add: bool) -> Floats:
    """Return what speaks against adding each node, or taking it away: how much that changes.

    To add less than there is speaks against nothing: objects have several parts.

    Parameters
    ----------
    tree : Tree
        All nodes.
    nodes : (k,) int64
        Nodes around a later click.
    held : (regions,) float64
        Pixels that belong to the object before it.
    add : bool
        Whether the click lies on the object.
    """
    before = held.sum()
    if before <= 0:
        return np.zeros(len(nodes))
    along = np.concatenate([[0], np.cumsum(held[tree.order])])
    within = along[tree.first[nodes] + tree.leaves[nodes]] - along[tree.first[nodes]]
    if add:
        return np.asarray(-CHANGE * np.log(np.maximum(1, (tree.area[nodes] - within) / before)))
    return np.asarray(CHANGE * np.log(np.clip(1 - within / before, 0.02, 1)))


def likely(tree: Tree, nodes: Nodes, logarithms: Floats) -> Floats:
    """Return how likely each region is of the object, where one of the nodes is it."""
    weights = np.exp(SHARPNESS * (logarithms - logarithms.max()))
    weights /= weights.sum()
    steps = np.zeros(len(tree.order) + 1)
    np.add.at(steps, tree.first[nodes], weights)
    np.add.at(steps, tree.first[nodes] + tree.leaves[nodes], -weights)
    return np.asarray(np.cumsum(steps[:-1])[tree.place])


def alone(tree: Tree, nodes: Nodes, logs: Floats, usual: float) -> Floats:
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


def likeliest(tree: Tree, region: int) -> tuple[Nodes, Floats]:
    """Return the likeliest nodes around a region that are not nearly the same, and their scores."""
    nodes, logs = chain(tree, region, np.array([region]), np.array([], np.int64))
    return _apart(tree, nodes, logs)


def clicked(regions: Regions, tree: Tree, click: Nodes) -> tuple[Nodes, Floats]:
    """Return the same for a click (d,): what it lies in the middle of is likelier."""
    region = int(regions.labels[tuple(click)])
    nodes, logs = chain(tree, region, np.array([region]), np.array([], np.int64))
    likely = np.argsort(-logs, kind="stable")[:LOOKED]
    own = [MIDDLE * _middle(regions, tree, int(node), click) for node in nodes[likely]]
    return _apart(tree, nodes[likely], logs[likely] + own)


def _middle(regions: Regions, tree: Tree, node: int, click: Nodes) -> float:
    low, high = tree.low[node].astype(int), tree.high[node].astype(int)
    part = regions.labels[tuple(slice(*pair) for pair in zip(low, high, strict=True))]
    step = coarse(part.shape)
    place, first = tree.place[part[every(step, part.ndim)]], tree.first[node]
    return middle((place >= first) & (place < first + tree.leaves[node]), (click - low) // step)


def _apart(tree: Tree, nodes: Nodes, logs: Floats) -> tuple[Nodes, Floats]:
    """Return the best nodes of one chain that are not nearly the same."""
    chosen: list[int] = []
    for i in np.argsort(-logs, kind="stable"):
        sizes = tree.area[nodes[chosen]]
        small, big = np.minimum(sizes, tree.area[nodes[i]]), np.maximum(sizes, tree.area[nodes[i]])
        if (small < APART * big).all():  # nodes of one chain lie within each other
            chosen.append(int(i))
        if len(chosen) == MOST:
            break
    return nodes[chosen], logs[chosen]


def prior_of(regions: Regions, tree: Tree, given: Prompts, seeds: Seeds) -> Floats:
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
        nodes, logs = chain(tree, region, with_, without, strict=not on)
        logs += change(tree, nodes, prior * regions.area, add=on)
        now = likely(tree, nodes, logs)
        prior = 1 - (1 - prior) * (1 - now) if on else prior * (1 - now)
    return prior


def _of_box(tree: Tree, box: Floats, seeds: Seeds) -> Floats:
    """Return how likely each region is of the object, by nodes that fill a box."""
    low, high = box[0] - 0.5, box[1] + 0.5
    both = np.prod(
        np.clip(np.minimum(tree.high - 0.5, high) - np.maximum(tree.low - 0.5, low), 0, None), 1
    )
    either = np.prod(tree.high - tree.low, 1) + np.prod(high - low) - both
    overlap = both / either
    nodes = np.flatnonzero(overlap >= min(0.3, overlap.max()))
    clear = count_within(tree, nodes, seeds.beside) == 0
    nodes = nodes[clear] if clear.any() else nodes
    logs = scores(tree, nodes) + 6 * overlap[nodes]
    return likely(tree, nodes, logs)


def far(tree: Tree, prior: Floats, known: Floats) -> Bools:
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
