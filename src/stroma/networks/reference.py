"""The models of a collection for images and sequences, by their names and arguments there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from stroma.errors import ParameterError
from stroma.networks.ladder import Ladder
from stroma.networks.next_frame import NextFrame
from stroma.networks.recurrent import Recurrent, Stateful
from stroma.networks.segnet import SegNet
from stroma.networks.unet import UNet
from stroma.registry import suggestion

Tensor = torch.Tensor
Pooled = {"down": "pool", "up": "nearest", "activation": "relu"}


class Probable(nn.Module):
    """A network that gives probabilities: of classes, or grey values of one channel.

    Parameters
    ----------
    model : nn.Module
        Gives (B, K, y, x); or (B, T, K, y, x) and a state.
    axis : int
        That of the classes.
    """

    def __init__(self, model: nn.Module, axis: int) -> None:
        super().__init__()
        self.model, self.axis = model, axis

    def forward(self, images: Tensor, *state: Any) -> Any:
        """Return softmax over several classes, sigmoid of one channel."""
        found = self.model(images, *state)
        if isinstance(found, tuple):
            return self._of(found[0]), found[1]
        return self._of(found)

    def _of(self, output: Tensor) -> Tensor:
        return output.softmax(self.axis) if output.shape[self.axis] > 1 else output.sigmoid()


def _image(build: Callable[..., nn.Module], **params: Any) -> Callable[[int, int], nn.Module]:
    return lambda channels, classes: Probable(build(channels, classes, **params), 1)


def _frames(build: Callable[..., nn.Module], **params: Any) -> Callable[[int, int], nn.Module]:
    return lambda channels, classes: Probable(build(channels, classes, **params), 2)


def _next_frame(channels: int, classes: int) -> nn.Module:
    if classes not in (1, channels):
        raise ParameterError(
            f"lstm_next_frame predicts frames, so n_classes is their channels ({channels}) or 1, "
            f"got {classes}."
        )
    return NextFrame(channels, features=(8, 16, 32), cell_kernel=5)


MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "simple": _image(
        UNet, features=(16, 32, 64, 128), convolutions=1, decoder_convolutions=1, **Pooled
    ),
    "unet": _image(UNet, features=(64, 128, 256, 512, 1024), norm="none", **Pooled),
    "unet_shallow": _image(
        UNet, features=(64, 128, 256), kernels=(5, 5, 5), norm="none", **Pooled
    ),
    "segnet": _image(SegNet),
    "segnet_shallow": _image(SegNet, features=(64, 128, 256), convolutions=(2, 2, 3)),
    "unet_lstm": _frames(Recurrent, features=(16, 32, 64, 128), **Pooled),
    "lstm_shallow": _frames(
        Recurrent, features=(16, 16), kernels=(5, 5), convolutions=1, decoder_convolutions=1,
        **Pooled,
    ),
    "lstm_full": _frames(
        Recurrent, features=(8, 16, 32), where="stacked", cell_kernel=5, **Pooled
    ),
    "lstm_next_frame": _next_frame,
    "ladder": _image(Ladder),
}  # fmt: skip
"""Name -> what makes it of channels and classes."""

RECURRENT = ("unet_lstm", "lstm_shallow", "lstm_full", "lstm_next_frame")


def get_model(
    name: str,
    input_height: int,
    input_width: int,
    input_channels: int,
    n_classes: int,
    stateful: bool = False,
    timesteps: int | None = None,
    batchsize: int | None = None,
) -> tuple[nn.Module, int, int]:
    """Return a model by its name, with the sides of what it gives.

    Models give probabilities: softmax over classes, sigmoid of one grey channel. Sides are those
    of the images, whatever they are: what does not divide is padded and cropped within.

    Parameters
    ----------
    name : str
        simple, unet, unet_shallow, segnet, segnet_shallow for images (B, C, y, x); unet_lstm,
        lstm_shallow, lstm_full, lstm_next_frame for frames (B, T, C, y, x); ladder for images of
        which few are labelled.
    input_height, input_width, input_channels : int
        Of images.
    n_classes : int
        Classes; 1 for grey images.
    stateful : bool
        Remember streams from call to call, until ``reset_states()``; recurrent models only. Others
        are functions ``model(frames, state=None) -> (outputs, state)``.
    timesteps, batchsize : int, optional
        Frames and streams per call of a stateful model, checked if given.

    Returns
    -------
    (nn.Module, int, int)
        Model, height and width of its output.
    """
    if name not in MODELS:
        raise ParameterError(f"No model named {name!r}. {suggestion(name, list(MODELS))}")
    if min(input_height, input_width, input_channels, n_classes) < 1:
        raise ParameterError(
            f"Sides, channels and classes are numbers from 1, got {input_height} x {input_width}, "
            f"{input_channels} channels, {n_classes} classes."
        )
    model = MODELS[name](input_channels, n_classes)
    if not stateful:
        return model, input_height, input_width
    if name not in RECURRENT:
        raise ParameterError(
            f"{name!r} has no memory, so it cannot be stateful. With memory: "
            f"{', '.join(RECURRENT)}."
        )
    kept = Stateful(model, batchsize=batchsize, timesteps=timesteps)
    return kept, input_height, input_width
