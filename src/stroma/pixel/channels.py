"""What the axes and channels of an image are to a model, which may have been trained on some."""

from __future__ import annotations

from typing import Any

from stroma.data.image import Image
from stroma.errors import ShapeError
from stroma.pixel.door import Source, is_many
from stroma.pixel.files.saved import Fitted


def mode(asked: str, fitted: Fitted | None) -> str:
    """Return what a 3-D array means: as the training images were, where they had channels.

    ``channel_mode`` says it for arrays; images from files bring their channels along, and a model
    that was trained on those still knows how to read an array.

    Parameters
    ----------
    asked : str
        The ``channel_mode`` of the parameters.
    fitted : Fitted or None
        What was learned.
    """
    if asked == "single" and fitted is not None and fitted.channels > 1:
        return "rgb" if fitted.rgb else "multi"
    return asked


def mode_of(asked: str, fitted: Fitted | None, image: Any, annotations: Any) -> str:
    """Return what 3-D arrays mean in training: as before, if their strokes are of one plane."""
    count = 0 if fitted is None else fitted.channels
    images, notes = _shapes(image), _shapes(annotations)
    alike = all(len(shape) == 3 and shape[0] == count for shape in images)
    flat = all(len(shape) == 2 for shape in notes)
    return mode(asked, fitted) if alike and flat else asked


def require_channels(source: Source, fitted: Fitted, asked: str) -> None:
    """Check that an image has as many channels as those that were trained on.

    Raises
    ------
    ShapeError
        If it has not.
    """
    if len(source.channels) != fitted.channels:
        raise ShapeError(
            f"The model was trained on {fitted.channels} channels, this image has "
            f"{len(source.channels)} (shape {source.image.shape}). Choose channels with "
            f"in_channels, or check channel_mode (now {asked!r}).",
            told=f"The model was trained on images with {_named(fitted)}, this one has "
            f"{len(source.channels)}. Choose the same channels, or train on images like this.",
        )


def _named(fitted: Fitted) -> str:
    """Return the number and kind of the channels a model was trained on, for people."""
    if fitted.rgb:
        return "red, green and blue"
    return "one channel" if fitted.channels == 1 else f"{fitted.channels} channels"


def _shapes(data: Any) -> list[tuple[int, ...]]:
    """Return the shapes of what are arrays without named axes."""
    items = list(data) if is_many(data) else [data]
    return [tuple(i.shape) for i in items if hasattr(i, "shape") and not isinstance(i, Image)]
