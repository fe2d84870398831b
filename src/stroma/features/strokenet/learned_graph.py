"""The network of `StrokeNet` as an ONNX model, cut to what the core of a block needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stroma.features.strokenet.learned_layout import Layout
from stroma.features.strokenet.learned_onnx import Graph

Weights = Mapping[str, NDArray[np.float32]]

INPUT = "image"


def onnx_model(weights: Weights, layout: Layout, shape: Sequence[int]) -> bytes:
    """Return the model for blocks of one shape; older OpenCVs need to know it.

    It takes (1, C, y, x) float32 with the layout's halo around a core, and returns the
    (1, features, y, x) features of the core.

    Parameters
    ----------
    weights : mapping of str to float32 arrays
        Weights and biases by the names of the layers, batch normalisation folded into them.
    shape : (C, y, x)
        Of a block, halo included.
    """
    channels = shape[0]
    graph = Graph()
    common = _common(graph, weights, layout, _pooled(graph, weights, channels))
    alone = _alone(graph, weights, layout, channels)
    output = graph.add("Concat", [*common, *alone], axis=1)
    return graph.model({INPUT: (1, *shape)}, output)


def feature_order(layout: Layout, channels: int) -> list[tuple[int | None, int]]:
    """Return, in the order of the model's outputs, the channel of a feature and its number."""
    common: list[tuple[int | None, int]] = [(None, i) for i in range(layout.features)]
    near = [(c, i) for c in range(channels) for i in range(layout.own)]
    far = [(c, layout.own + i) for c in range(channels) for i in range(layout.own)]
    return [*common, *near, *far]


def _layer(graph: Graph, weights: Weights, x: str, name: str, *, relu: bool = True) -> str:
    made = graph.convolution(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
    return graph.relu(made) if relu else made


def _pooled(graph: Graph, weights: Weights, channels: int) -> str:
    """Add the first filters of every channel, and their mean or maximum over the channels.

    The mean is a sum: what goes into it is divided before, which a positive part lets through.
    """
    weight, bias = weights["stem.weight"], weights["stem.bias"]
    if channels == 1:
        return graph.relu(graph.convolution(INPUT, weight, bias))
    filters = len(weight)
    share = np.ones(filters, np.float32)
    share[: filters // 2] = 1 / channels
    weight, bias = weight * share[:, None, None, None], bias * share
    repeated = np.tile(weight, (channels, 1, 1, 1)), np.tile(bias, channels)
    x = graph.relu(graph.convolution(INPUT, *repeated, groups=channels))
    halves = []
    for operator, start in (("Sum", 0), ("Max", filters // 2)):
        parts = [
            graph.channels(x, start + filters * c, start + filters * c + filters // 2)
            for c in range(channels)
        ]
        halves.append(graph.add(operator, parts))
    return graph.add("Concat", halves, axis=1)


def _common(graph: Graph, weights: Weights, layout: Layout, x: str) -> list[str]:
    """Add the levels on the way down, then back; on the way back margins are cut away."""
    levels = []
    for level, depth in enumerate(layout.depths):
        x = graph.mean_of_cells(x, 2) if level else x
        for i in range(depth):
            x = _layer(graph, weights, x, f"down.{level}.{i}")
        levels.append(x)
    last = len(levels) - 1
    margins = layout.margins
    cut = [layout.halo // 2**level - margins[level] for level in range(len(levels))]
    y = _layer(graph, weights, graph.cut(levels[last], cut[last]), f"side.{last}")
    second = y
    for level in range(last - 1, -1, -1):
        lateral = graph.cut(levels[level], cut[level])
        lateral = _layer(graph, weights, lateral, f"side.{level}", relu=False)
        coarse = _layer(graph, weights, y, f"reduce.{level}", relu=False)
        coarse = graph.cut(graph.enlarged(coarse, 2), 2 * margins[level + 1] - margins[level])
        y = graph.relu(graph.add("Add", [lateral, coarse]))
        y = _layer(graph, weights, y, f"up.{level}")
        second = y if level == 1 else second
    fine = _layer(graph, weights, graph.cut(y, margins[0]), "fine", relu=False)
    coarse = graph.enlarged(_layer(graph, weights, second, "coarse", relu=False), 2)
    return [fine, graph.cut(coarse, 2 * margins[1])]


def _alone(graph: Graph, weights: Weights, layout: Layout, channels: int) -> list[str]:
    """Add the linear filters of every channel alone."""
    made = []
    for name, factor in (("near", 1), ("far", 4)):
        spare = layout.halo // factor - 4
        x = graph.cut(graph.mean_of_cells(INPUT, factor) if factor > 1 else INPUT, spare)
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        repeated = np.tile(weight, (channels, 1, 1, 1)), np.tile(bias, channels)
        x = graph.convolution(x, *repeated, groups=channels)
        x = graph.enlarged(x, factor) if factor > 1 else x
        made.append(graph.cut(x, 4 * factor))
    return made
