"""Whether one model can work with the channels of several images, and what to do where not."""

from __future__ import annotations

from collections.abc import Sequence

from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.pixel.door import Source, open_image

Channels = Sequence[int] | None
"""Those in use, from 0; None for all."""


def count(image: Image) -> int:
    """Return how many channels an image has; 0 where it has no axis for them."""
    return image.sizes.get("c", 0)


def mixed(images: Sequence[tuple[str, Image]], channels: Channels) -> str:
    """Return why one model cannot learn from images, and what to do; empty where it can.

    Parameters
    ----------
    images : sequence of (str, Image)
        Images with their names, which may be the same.
    channels : sequence of int or None
        Those in use.
    """
    counts = [count(image) for _, image in images]
    if len({max(1, n) for n in counts}) < 2:
        return ""
    if channels is not None and max(channels) < min(counts):
        return ""
    example = {max(1, count(image)): name for name, image in reversed(images)}
    listed = ", ".join(f"{n} in {name}" for n, name in sorted(example.items()))
    choose = (
        "Leave out the channels that not all of them have, convert " if all(counts) else "Convert "
    )
    return (
        f"The images have different numbers of channels ({listed}), and one model works with one "
        f"number. {choose}the images that differ, or keep each kind in a project of its own."
    )


def selected(image: Image, mode: str, channels: Channels) -> Source:
    """Return an image as a model sees it that uses some of its channels, or all.

    Raises
    ------
    ParameterError
        If the image lacks a channel that is in use.
    """
    if channels is not None and max(channels) >= count(image):
        chosen = ", ".join(str(c + 1) for c in channels)
        raise ParameterError(
            f"The model is to use channel {chosen}, and this image has {max(1, count(image))}. "
            "Use channels that all images have, or all channels again."
        )
    return open_image(image, mode, channels)
