"""The image that a network makes of another, put together of its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.training.feeding.cases import statistics_of, units, units_of
from stroma.training.feeding.windows import Cube, around, relative
from stroma.training.predicting.collecting import Decoding
from stroma.training.predicting.found import without_channels
from stroma.training.predicting.predict import reader
from stroma.training.predicting.sweep import Part, Position, Trained
from stroma.training.ways import mixture


class Picture(Decoding):
    """The image that a network makes of another: (C, t, z, y, x), as far as the image has these.

    In intensities of the image, or of all images where the target says so; of channels as they are.
    """

    def __init__(
        self, network: Trained, image: Image, tunable: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(network, image, tunable)
        self.noisy = Noisy(image, network.ndim) if network.blind else None
        self.made: NDArray[np.float32] | None = None

    def add(self, part: Part) -> None:
        """Take the values of a block."""
        values = self.target.decode(part.values, **self.options)
        if self.made is None:
            sides = without_channels(self.image)
            self.made = np.zeros((len(values), *sides), np.float32)
        own = values[(slice(None), *relative(part.core, part.window))]
        place: tuple[Any, ...] = (slice(None), *part.position.values(), *part.core)
        self.made[place] = own
        if self.noisy is not None:
            self.noisy.add(part.position, part.core, own)

    def result(self) -> NDArray[np.float32]:
        """Return the image."""
        made = self.made
        assert made is not None, "an image has at least one block"
        if self.noisy is not None:
            self.noisy.mix(made)
        if self.target.result == "image":
            spreads = getattr(self.target, "spreads", 0)
            count = len(made) - spreads
            given = units_of(self.target, made.ndim)
            mean, deviation = given or units(statistics_of(self.image), count, made.ndim)
            made[:count] = made[:count] * deviation + mean
            made[count:] *= deviation[:spreads]
        return made


class Noisy:
    """A noisy image, to which what was predicted of its pixels is fitted; see `mixture`.

    Parameters
    ----------
    image : Image
        As ``network.open`` returns it.
    ndim : int
        Axes that the network looks along.
    """

    def __init__(self, image: Image, ndim: int) -> None:
        self.image, self.ndim = image, ndim
        self.shape = image.shape[-ndim:]
        self.blocks: list[tuple[Position, Cube]] = []
        self.sums: dict[tuple[int, ...], mixture.Sums] = {}

    def add(self, position: Position, core: Cube, predicted: NDArray[np.float32]) -> None:
        """Take note of the prediction of a block."""
        values, inside = self._around(position, core)
        counts = mixture.counting(core, self.shape)
        found = mixture.sums(values, predicted, inside, counts)
        key = tuple(position.values())
        self.sums[key] = self.sums[key] + found if key in self.sums else found
        self.blocks.append((position, core))

    def mix(self, result: NDArray[np.float32]) -> None:
        """Replace predictions by the mixture that foretells the image best, plane by plane."""
        weights = {key: found.solved() for key, found in self.sums.items()}
        for position, core in self.blocks:
            values, inside = self._around(position, core)
            key = tuple(position.values())
            place: tuple[Any, ...] = (slice(None), *key, *core)
            result[place] = mixture.mixed(values, result[place], inside, weights[key])

    def _around(self, position: Position, core: Cube) -> tuple[NDArray[np.float32], Cube]:
        """Return a block with what is around it, in units of the image, and its place in that."""
        window = around(core, mixture.CONTEXT, self.shape)
        values = reader(self.image.at(**position), self.ndim)(window)
        mean, deviation = units(statistics_of(self.image), len(values), values.ndim)
        return np.asarray((values - mean) / deviation, np.float32), relative(core, window)
