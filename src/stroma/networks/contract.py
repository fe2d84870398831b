"""What a network must tell of itself so that it can be trained and run on blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn import functional

from stroma.errors import ParameterError


@runtime_checkable
class Dense(Protocol):
    """A module that maps (B, C, *space) to (B, K, *space), made by ``build(C, K, ndim=...)``.

    Parameters of building are plain values, as they are stored as JSON. Sides that are no multiple
    of ``stride`` are padded and cropped within. While training, a network may return several
    resolutions, finest first (deep supervision). One that starts from pretrained weights defines
    ``begin()``, which loads them; it is called before the first step, and building loads nothing.
    """

    @property
    def ndim(self) -> int:
        """Spatial axes, 2 or 3."""
        ...

    @property
    def stride(self) -> tuple[int, ...]:
        """Per axis, what windows must be aligned with for equal results."""
        ...

    @property
    def halo(self) -> tuple[int, ...] | None:
        """Per axis, pixels around aligned cores that results depend on; None for all pixels.

        It is all pixels with attention, global pooling, or normalisation by the instance.
        """
        ...

    def __call__(self, images: torch.Tensor, /) -> Any:
        """Return the output, before any activation."""
        ...


def resolutions(outputs: Any) -> list[torch.Tensor]:
    """Return what a network gave at every resolution, finest first."""
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def padded(images: torch.Tensor, stride: Sequence[int]) -> torch.Tensor:
    """Return (B, C, *space) images with sides that are multiples, repeating the last pixels."""
    short = [-n % s for n, s in zip(images.shape[2:], stride, strict=True)]
    if not any(short):
        return images
    return functional.pad(
        images, [side for n in reversed(short) for side in (0, n)], mode="replicate"
    )


def cropped(output: torch.Tensor, space: Sequence[int]) -> torch.Tensor:
    """Return the first pixels along every axis."""
    for axis, n in enumerate(space):
        output = output.narrow(2 + axis, 0, n)
    return output


CONVOLUTIONS: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[int, Any] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
INSTANCE: dict[int, Any] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
BATCH: dict[int, Any] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
MAX_POOL: dict[int, Any] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOL: dict[int, Any] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}


def normalisation(name: str, width: int, ndim: int) -> nn.Module:
    """Return a layer of normalisation.

    Parameters
    ----------
    name : {"batch", "instance", "none"}
        By the batch (in use: by what was learned, so blocks do not matter), by each image
        (in use: by each window), or not at all.
    width, ndim : int
        Channels and spatial axes.
    """
    made: nn.Module
    if name == "batch":
        made = BATCH[ndim](width)
    elif name == "instance":
        made = INSTANCE[ndim](width, eps=1e-5, affine=True)
    elif name == "none":
        made = nn.Identity()
    else:
        raise ParameterError(f"No normalisation {name!r}. Known: batch, instance, none.")
    return made
