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

LEAST_SPREAD = 1e-3
"""Of a pixel, by the deviation of the image."""


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
    probabilistic : bool
        Predict how uncertain every pixel is, too, as CARE does: the mean and the spread of a
        Laplace distribution, so that the absolute error to be expected is the spread.
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
    probabilistic: bool = False
    gain: tuple[float, ...] = ()
    offset: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Take lists for tuples, as JSON has them, and check."""
        for name in ("gain", "offset"):
            object.__setattr__(self, name, tuple(float(n) for n in getattr(self, name)))
        count = len(self.channels()) - self.spreads
        if self.gain and not len(self.gain) == len(self.offset) == count:
            raise ParameterError(
                f"gain and offset have one number per channel ({count}), or none; "
                f"got {len(self.gain)} and {len(self.offset)}."
            )
        if self.probabilistic and self.squared:
            raise ParameterError(
                "probabilistic and squared are two ways to measure errors; choose one of them."
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

    @property
    def spreads(self) -> int:
        """How many of the last channels are spreads: of intensities, not intensities themselves."""
        return self.count * self.probabilistic

    def channels(self) -> tuple[str, ...]:
        """Return their numbers, then those of their spreads."""
        names = ("channel", "spread")[: 1 + self.probabilistic]
        return tuple(f"{name} {i}" for name in names for i in range(self.count))

    def encode(self, truth: Any, /, *, shape: tuple[int, ...]) -> Encoded:
        """Return the image as it is; what is not a number in it has no weight."""
        values = np.array(truth, np.float32)
        known = np.isfinite(values)
        values[~known] = 0
        sure = np.zeros_like(values[: self.spreads])
        weight = np.concatenate([known, known[: self.spreads]]).astype(np.float32)
        return Encoded(np.concatenate([values, sure]), weight)

    def loss(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor, /) -> Losses:
        """Return the mean error over the pixels that are known.

        With spreads, the negative logarithm of the likelihood of a Laplace distribution.
        """
        if self.probabilistic:
            return self._unlikely(output, truth, known)
        kind = functional.mse_loss if self.squared else functional.l1_loss
        each = kind(output, truth, reduction="none")
        weight = known.expand_as(each)
        error = (each * weight).sum() / weight.sum().clamp_min(1)
        return error, {"error": error.detach()}

    def _unlikely(self, output: torch.Tensor, truth: torch.Tensor, known: torch.Tensor) -> Losses:
        found = self.activate(output)
        mean, spread = found[:, : self.count], found[:, self.count :]
        weight = known[:, : self.count]
        apart = (mean - truth[:, : self.count]).abs() * weight
        total = weight.sum().clamp_min(1)
        unlikely = (apart / spread + (2 * spread).log() * weight).sum() / total
        parts = {"error": apart.sum() / total, "unlikely": unlikely}
        return unlikely, {name: part.detach() for name, part in parts.items()}

    def activate(self, output: torch.Tensor, /) -> torch.Tensor:
        """Return it as it is, spreads above 0."""
        if not self.probabilistic:
            return output
        mean, spread = output[:, : self.count], output[:, self.count :]
        return torch.cat([mean, functional.softplus(spread) + LEAST_SPREAD], 1)

    def decode(self, prediction: NDArray[np.float32], /, **tunable: Any) -> NDArray[np.float32]:
        """Return the image, and the spreads of its channels where there are some."""
        return np.asarray(prediction, np.float32)

    def turned_back(self, prediction: NDArray[np.float32], turn: Turn, /) -> NDArray[np.float32]:
        """Return it turned back."""
        return turn.undo(prediction)

    def score(self, results: Sequence[Any], truths: Sequence[Any], /) -> dict[str, float]:
        """Return the means over images and channels of PSNR, scale-invariant too, and SSIM."""
        pairs = [
            (one, other)
            for found, true in zip(results, truths, strict=True)
            for one, other in zip(found[: len(true)], true, strict=True)
        ]
        known = [(one, other) for one, other in pairs if not np.isnan(other).all()]
        mean = mean_scores([restoration_scores(*pair) for pair in known or pairs])
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

    def __post_init__(self) -> None:
        """Check."""
        if self.probabilistic:
            raise ParameterError(
                "probabilistic needs clean images to learn how far results are from them; train "
                "with the target restore."
            )
        super().__post_init__()
