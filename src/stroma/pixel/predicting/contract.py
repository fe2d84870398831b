"""What a model is to those who apply it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import Class
from stroma.features.cache import FeatureCache
from stroma.pixel.door import Source
from stroma.pixel.predicting.predict import Trained


class Model(Protocol):
    """A trained model that opens images as in training; `ConvpaintModel` is one."""

    cache: FeatureCache

    @property
    def classes_(self) -> NDArray[np.int64]:
        """The (K,) labels it tells apart, ascending."""
        ...

    @property
    def classes(self) -> tuple[Class, ...]:
        """Names and colours of the classes."""
        ...

    def get_param(self, key: str) -> Any:
        """Return a parameter by name."""
        ...

    def open(self, image: Any, in_channels: Sequence[int] | None = None) -> Source:
        """Return an image as this model sees it."""
        ...

    def trained(self, *, skip_norm: bool = False, device: str | None = None) -> Trained:
        """Return what prediction needs."""
        ...
