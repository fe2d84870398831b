"""From what is known of some regions to all: a random walker that also listens to a prior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import cg

from stroma.prompts.regions import Regions

Floats = NDArray[np.float64]


def links(graph: Regions, *, steep: float) -> Floats:
    """Return how readily a walker goes from one region to another, for every pair.

    Parameters
    ----------
    graph : Regions
        The regions.
    steep : float
        How much an edge hinders, in units of the image's mean edge.
    """
    usual = float(np.average(graph.edge, weights=graph.length)) if len(graph.edge) else 1.0
    return np.asarray(graph.length * np.maximum(np.exp(-steep * graph.edge / (usual + 1e-9)), 1e-4))


def walk(graph: Regions, weights: Floats, prior: Floats, known: Floats, *, listen: float) -> Floats:
    """Return how likely each region is of the object.

    Minimises the squared differences between neighbours, by weight, and those from the prior.

    Parameters
    ----------
    graph : Regions
        The regions.
    weights : (m,) float64
        Of the pairs that touch.
    prior : (n,) float64
        What is likely before the neighbours are asked.
    known : (n,) float64
        1 and 0 where it is known, NaN elsewhere.
    listen : float
        Weight of the prior, for every pixel.
    """
    free = np.flatnonzero(np.isnan(known))
    if not len(free):
        return np.nan_to_num(known)
    held = listen * graph.area[free]
    rows = _rows(graph, weights, free)
    diagonal = np.asarray(rows.sum(axis=1)).ravel() + held
    system = sparse.diags(diagonal) - rows[:, free]
    wanted = held * prior[free] + rows @ np.nan_to_num(known)
    scaling = sparse.diags(1 / diagonal)
    found, _ = cg(system, wanted, x0=prior[free], M=scaling, rtol=1e-4, maxiter=300)
    result = np.nan_to_num(known)
    result[free] = found
    return result


def _rows(graph: Regions, weights: Floats, free: NDArray[np.int64]) -> sparse.csr_matrix:
    """Return the weights between some regions and all."""
    place = np.full(graph.count, -1)
    place[free] = np.arange(len(free))
    ends = np.concatenate([graph.pairs, graph.pairs[:, ::-1]])
    both = np.concatenate([weights, weights])
    own = place[ends[:, 0]] >= 0
    index = place[ends[own, 0]], ends[own, 1]
    return sparse.csr_matrix((both[own], index), shape=(len(free), graph.count))
