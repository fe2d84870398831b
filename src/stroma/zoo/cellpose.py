"""What the window of Cellpose saves beside an image: ``NAME_seg.npy``, a dict as a pickle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import FormatError, short
from stroma.io import is_image, read_image
from stroma.io.foreign import CELLPOSE
from stroma.io.lazy import DAMAGE, damaged
from stroma.zoo.pickled import plain_values
from stroma.zoo.taken import Picture, Taken, located

MAX_BYTES = 2**33
SETTINGS = ("diameter", "est_diam", "flow_threshold", "cellprob_threshold", "model_path")
"""What it notes of how objects were found."""


def take(path: Path, images: Sequence[Path]) -> Taken:
    """Return the objects in a file, and their image.

    Raises
    ------
    FormatError
        If it is damaged, holds no objects, or names Python objects beyond arrays.
    """
    found = _content(path)
    masks = _masks(found, path)
    image, where, left = _image(found, path, images, masks.shape)
    name = where.name if where is not None else path.name.removesuffix(CELLPOSE)
    count = int(np.count_nonzero(np.unique(masks)))
    settings = [f"{key} {found[key]}" for key in SETTINGS if _said(found.get(key))]
    by_hand = _by_hand(found.get("ismanual"))
    took = [f"{count} objects"]
    took += [f"{by_hand} of them drawn by hand"] if by_hand else []
    left += [f"settings, for you to read: {'; '.join(map(short, settings))}"] if settings else []
    left += ["flows: objects are taken as they are"] if isinstance(found.get("flows"), list) else []
    picture = Picture(image, name, where, objects=masks.reshape(_shape(image, masks)))
    return Taken(path, "Cellpose", (picture,), took=tuple(took), left=tuple(left))


def _said(value: Any) -> bool:
    return isinstance(value, int | float | str) and value not in ("", 0)


def _by_hand(flags: Any) -> int:
    """Return how many objects are said to be drawn by hand: an array of flags, or a list."""
    if isinstance(flags, np.ndarray):
        return int(np.count_nonzero(flags)) if flags.dtype.kind in "bui" else 0
    return sum(flag is True for flag in flags) if isinstance(flags, list) else 0


def _named(found: Mapping[str, Any]) -> str:
    """Return the image that a file names; "" where it names none."""
    name = found.get("filename")
    return name if isinstance(name, str) else ""


def _content(path: Path) -> Mapping[str, Any]:
    """Return the dict in a file."""
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path} is larger than {MAX_BYTES >> 30} GiB.")
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = {(1, 0): np.lib.format.read_array_header_1_0}.get(version)
            header = read(file) if read is not None else None
            data = file.read()
    except DAMAGE as error:
        raise damaged(path, error) from error
    if header is None or header[0] != () or not header[2].hasobject:
        raise FormatError(f"{path} is no file of Cellpose's window: it holds an array, no dict.")
    try:
        found = plain_values(data)
    except FormatError as error:
        raise FormatError(f"{path} cannot be read safely: {error}. Export masks as TIFF.") from None
    while isinstance(found, list) and len(found) == 1:  # an array of one object
        [found] = found
    if not isinstance(found, dict):
        raise FormatError(f"{path} holds no dict of masks.")
    return found


def _masks(found: Mapping[str, Any], path: Path) -> NDArray[np.integer[Any]]:
    masks = found.get("masks")
    if (
        not isinstance(masks, np.ndarray)
        or masks.dtype.kind not in "ui"
        or masks.ndim not in (2, 3)
    ):
        raise FormatError(f"{path} holds no masks: {short(type(masks).__name__)}.")
    if masks.size and (masks.min() < 0 or masks.max() >= 2**32):
        raise FormatError(f"{path} has masks from {masks.min()} to {masks.max()}.")
    return masks.astype(np.uint16 if masks.max(initial=0) < 2**16 else np.uint32)


def _image(
    found: Mapping[str, Any], path: Path, images: Sequence[Path], shape: tuple[int, ...]
) -> tuple[Image, Path | None, list[str]]:
    """Return the image: that which is named, one of that name beside it, or that in the file."""
    stem = path.name[: -len(CELLPOSE)]
    beside = [p for p in path.parent.glob(f"{_plain(stem)}.*") if is_image(p) and p != path]
    for where in (
        located(_named(found), path, images),
        *images,
        *sorted(beside),
    ):
        if where is not None and where.is_file() and is_image(where):
            image = read_image(where)
            if _fits(image, shape):
                return image, where, []
    inside = found.get("img")
    if isinstance(inside, np.ndarray) and inside.dtype.kind in "uif" and inside.ndim == len(shape):
        return Image(inside, "zyx"[-inside.ndim :]), None, []
    return (
        Image(np.zeros(shape, np.uint8), "zyx"[-len(shape) :]),
        None,
        [f"image {short(_named(found) or stem)}: not there; name it behind the file"],
    )


def _plain(stem: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in stem)


def _fits(image: Image, shape: tuple[int, ...]) -> bool:
    sides = tuple(n for a, n in image.sizes.items() if a != "c")
    return sides == shape or tuple(n for n in sides if n > 1) == tuple(n for n in shape if n > 1)


def _shape(image: Image, masks: NDArray[Any]) -> tuple[int, ...]:
    return tuple(n for a, n in image.sizes.items() if a != "c")
