"""Features that were learned for strokes: a small network, trained on generated images.

Its weights come with the package, and OpenCV computes it; nothing is downloaded. What it was
trained on, and how: ``stroma.training.strokes`` and the page "Learned features".
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import cv2
import numpy as np
from numpy.typing import NDArray

from stroma.features.contract import FeatureMap, Wants
from stroma.features.filtering.derivatives import core_shape
from stroma.features.strokenet.learned_graph import INPUT, Weights, feature_order, onnx_model
from stroma.features.strokenet.learned_layout import LAYOUT
from stroma.features.strokenet.learned_weights import read_weights

Float32 = NDArray[np.float32]

FILE = "strokenet.npz"
"""Half-precision weights, beside this module."""

NAME = "strokenet"

KEPT = 8
"""Networks that are kept while nobody uses them; each holds some 40 MB for a block of 256 x 256."""

_shelf: list[tuple[tuple[int, ...], cv2.dnn.Net]] = []
_shelf_lock = threading.Lock()


@dataclass(frozen=True)
class StrokeNet:
    """Forty features of all channels together, and four of every channel alone.

    Of rgb images, the channels are lightness and the two opponent colours.
    """

    @property
    def halo(self) -> int:
        """How far the network sees."""
        return LAYOUT.halo

    @property
    def stride(self) -> int:
        """Cells of its coarsest level."""
        return LAYOUT.stride

    @property
    def wants(self) -> Wants:
        """CIELAB, any number of channels."""
        return Wants("lab")

    def names(self, channels: Sequence[str]) -> list[str]:
        """Return names like ``learned_7`` and ``DAPI:learned_2``."""
        order = feature_order(LAYOUT, len(channels))
        if len(channels) == 1:
            return [f"learned_{i}" if c is None else f"own_{i}" for c, i in order]
        return [f"learned_{i}" if c is None else f"{channels[c]}:own_{i}" for c, i in order]

    def provenance(self) -> dict[str, str]:
        """Return what identifies the weights: name, repository, revision, file, digest."""
        return dict(_identity())

    def __call__(self, block: Float32) -> list[FeatureMap]:
        """Compute the features of one block.

        Raises
        ------
        ShapeError
            If nothing is left of the block without its halo.
        """
        core_shape(block, self.halo)
        with _borrowed(block.shape) as model:
            return [FeatureMap(computed(model, block))]


def computed(model: cv2.dnn.Net, block: Float32) -> Float32:
    """Return the features (F, y, x) of the core of a block (C, y, x)."""
    model.setInput(np.ascontiguousarray(block[None], np.float32), INPUT)
    return np.asarray(model.forward()[0], np.float32)


def loaded(weights: Weights, shape: tuple[int, ...]) -> cv2.dnn.Net:
    """Return the network for blocks of a shape (C, y, x); for one thread at a time."""
    raw = onnx_model(weights, LAYOUT, shape)
    return cv2.dnn.readNetFromONNX(np.frombuffer(raw, np.uint8))


@contextmanager
def _borrowed(shape: tuple[int, ...]) -> Iterator[cv2.dnn.Net]:
    """Lend a network that nobody else uses meanwhile: OpenCV's keep what they compute."""
    with _shelf_lock:
        place = next((i for i, (known, _) in enumerate(_shelf) if known == shape), None)
        model = None if place is None else _shelf.pop(place)[1]
    if model is None:
        model = loaded(_shipped(), shape)
    yield model
    with _shelf_lock:
        _shelf.append((shape, model))
        del _shelf[:-KEPT]


@cache
def _shipped() -> Weights:
    """Return the weights that come with the package."""
    return read_weights(_raw(), FILE)


def _raw() -> bytes:
    return files("stroma.features.strokenet").joinpath(FILE).read_bytes()


@cache
def _identity() -> tuple[tuple[str, str], ...]:
    digest = sha256(_raw()).hexdigest()
    facts = {"name": NAME, "repository": "shipped with Stroma", "revision": "", "file": FILE}
    return tuple({**facts, "digest": digest}.items())
