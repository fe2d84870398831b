"""Another image: a clean one for a noisy one, learned from pairs or from noisy images alone.

After CARE (Weigert et al. 2018, doi 10.1038/s41592-018-0216-7), Noise2Noise (Lehtinen et al. 2018,
arXiv:1803.04189) and Noise2Void (Krull et al. 2019, arXiv:1811.10980).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from stroma.errors import ParameterError
from stroma.metrics.restoration import restoration_scores
from stroma.metrics.shared import mean_scores
from stroma.targets.contract import Encoded, Facts, Losses, Result, Truth
from stroma.targets.turns import Turn


@dataclass(frozen=True)
class Restore:
    """The channels of a clean image, as in CARE (Weigert 2018, doi 10.1038/s41592-018-0216-7).

    Intensities are in units of the noisy image: less its mean, by its deviation. Pairs of noisy
    images of one view do as well as noisy and clean ones (Noise2Noise, Lehtinen et al. 2018,
    arXiv:1803.04189), with ``squared``.

    Parameters
    ----------
    count : int
        Channels of the clean image.
    squared : bool
        Minimise the squared, not the absolute error.
    gain, offset : tuple of float
        Where units are not those of the noisy image, but the same for all images: what predictions
        are multiplied with, and what is added to them, per channel.
    """

    truth: ClassVar[Truth] = "image"
    result: ClassVar[Result] = "image"
    shaded: ClassVar[bool] = False
    """Patches are mirrored and turned only: what is done to intensities would be undone."""

    count: int = 1
    squared: bool = False
    gain: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        for name in ("gain", "offset"):
            object.__setattr__(self, name, tuple(float(n) for n in getattr(self, name)))
        if self.gain and not len(self.gain) == len(self.offset) == len(self.channels()):
            raise ParameterError(
                f"gain and offset have one number per channel ({len(self.channels())}), or none; "
                f"got {len(self.gain)} and {len(self.offset)}."
            )

    @classmethod
    def made_for(cls, facts: Facts, /, **options: Any) -> Self:
        """Return the target for images with some channels."""
        return cls(**{"count": facts.channels, **options})

    @property
    def tunable(self) -> Mapping[str, tuple[Any, ...]]:
        """Nothing."""
        return {}

    @property
    def context(self) -> int:
        """Every pixel is by itself."""
        return 0

    def channels(self) -> tuple[str, ...]:
        """Return their numbers."""
        return tuple(f"channel {i}" for i in range(self.count))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the image as it is; what is not a number in it has no weight."""
        values = np.array(truth, np.float32)
        known = np.isfinite(values)
        values[~known] = 0
        return Encoded(values, known.astype(np.float32))

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the mean error over the pixels that are known."""
        kind = functional.mse_loss if self.squared else functional.l1_loss
        each = kind(output, truth, reduction="none")
        weight = known.expand_as(each)
        error = (each * weight).sum() / weight.sum().clamp_min(1)
        return error, {"error": error.detach()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return it as it is."""
        return output

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> NDArray[np.float32]:
        """Return the image."""
        return np.asarray(prediction, np.float32)

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back."""
        return turn.undo(prediction)

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the means over images and channels of PSNR, scale-invariant too, and SSIM."""
        each = [
            restoration_scores(one, other)
            for found, true in zip(results, truths, strict=True)
            for one, other in zip(found, true, strict=True)
        ]
        mean = mean_scores(each)
        return {name: mean[name] for name in ("psnr", "si psnr", "ssim")}


@dataclass(frozen=True)
class Denoise(Restore):
    """The image itself without its noise, as in Noise2Void 2: needs no clean image.

    Learned at blind spots (see ``stroma.training.ways.blind``): noise that is independent from
    pixel to pixel cannot be foretold from its surroundings, what is seen can. Of a network that
    sees no pixel itself, the result is fitted to each image (see
    ``stroma.training.ways.mixture``). The scores during training are against the noisy image, and
    so below those against a clean one.
    """

    alone: ClassVar[bool] = True
    """The image is its own truth."""

    objective: ClassVar[str] = "blind-spot"
    squared: bool = True
