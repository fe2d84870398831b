"""Where images and strokes come in: whatever the user has, to images with named axes and points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stroma.data.classes import MAX_LABEL
from stroma.data.image import AXES, Image
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError
from stroma.io.units import convert

BAND_PIXELS = 4_000_000


class Points(NamedTuple):
    """Labelled pixels of one image.

    Attributes
    ----------
    plane : (n,) int array
        Position among the planes of the image, t before z.
    yx : (n, 2) int array
        Row and column.
    label : (n,) uint16 array
        1 to 65535.
    """

    plane: NDArray[np.intp]
    yx: NDArray[np.intp]
    label: NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Source:
    """One image, cut to the channels in use.

    Parameters
    ----------
    image : Image
        Axes as given, channels as selected.
    rgb : bool
        Whether its channels are red, green and blue.
    """

    image: Image
    rgb: bool

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels in use, by position; "image" where there is no channel axis."""
        if "c" not in self.image.sizes:
            return ("image",)
        positions = np.arange(self.image.whole.sizes["c"])[self.image.selection.get("c", ...)]
        return tuple(f"ch{i}" for i in positions)

    @property
    def outer(self) -> dict[str, int]:
        """Sizes of the axes that planes are taken from (t, z)."""
        return {a: n for a, n in self.image.sizes.items() if a in "tz"}

    @property
    def positions(self) -> list[dict[str, int]]:
        """Position of every plane along the outer axes."""
        ranges = (range(n) for n in self.outer.values())
        return [dict(zip(self.outer, p, strict=True)) for p in product(*ranges)]

    @property
    def depth(self) -> int:
        """Number of planes along z; 1 without such an axis."""
        return self.image.sizes.get("z", 1)

    def parts(self, axes: str) -> list[dict[str, int]]:
        """Return the position of every plane ("yx") or of every volume ("zyx") of the image."""
        if axes == "yx" or "z" not in self.image.sizes:
            return self.positions
        return [{a: i for a, i in p.items() if a != "z"} for p in self.positions[:: self.depth]]

    @property
    def voxel(self) -> tuple[float, float, float] | None:
        """Size of a voxel along z, y and x in µm, if the image knows it."""
        spacing, unit = self.image.spacing, self.image.unit
        if not unit or not {"z", "y", "x"} <= set(spacing):
            return None
        z, y, x = (convert(spacing[a], unit, "µm") for a in "zyx")
        return z, y, x

    @property
    def plane_shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.sizes["y"], self.image.sizes["x"]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a result: that of the image without channels."""
        return (*self.outer.values(), *self.plane_shape)


def is_many(data: Any) -> bool:
    """Tell whether data is a list (or tuple) of images rather than one."""
    return isinstance(data, list | tuple)


def open_image(data: Any, channel_mode: str, in_channels: Sequence[int] | None = None) -> Source:
    """Return an image ready to be cut into planes; reads no pixels of lazy ones.

    Parameters
    ----------
    data : array-like, Image, str or Path
        An array of 2 dimensions (y, x), 3 (z, y, x; or c, y, x in the modes "multi" and "rgb") or
        4 (c, z, y, x); one with named axes in any order (an Image, or of xarray with dimensions
        called t, c, z, y, x); or the path of a file.
    channel_mode : {"single", "multi", "rgb"}
        What a 3-D array means, and whether three channels are colours.
    in_channels : sequence of int, optional
        Channels to use, in this order.

    Raises
    ------
    ShapeError
        If the number of dimensions is not 2, 3 or 4, or an axis is empty.
    ImageError
        If pixels are masked.
    ParameterError
        If the channels to use do not exist.
    """
    image = _as_image(data, channel_mode)
    if 0 in image.shape:
        raise ShapeError(f"The image is empty: its shape is {image.shape}.")
    if in_channels is not None:
        image = _selected(image, in_channels)
    mode_says_rgb = channel_mode == "rgb" or (channel_mode == "single" and image.rgb)
    return Source(image, rgb=mode_says_rgb and image.sizes.get("c") == 3)


def _as_image(data: Any, channel_mode: str) -> Image:
    if isinstance(data, Image):
        return data
    if isinstance(data, str | Path):
        return _from_file(Path(data), channel_mode)
    if np.ma.is_masked(data):
        raise ImageError(
            "The image has masked pixels, and features need a value everywhere. Fill them first, "
            "for instance with image.filled(image.mean()), and leave them without strokes.",
            told="Some pixels of the image have no value. Fill them, and paint no strokes there.",
        )
    array = _arraylike(data)
    if not isinstance(array.dtype, np.dtype):  # e.g. a torch tensor
        array = np.asarray(array)
    array, named = _in_order(array)
    if named:
        return Image(array, named, rgb=channel_mode == "rgb" and "c" in named)
    axes = {2: "yx", 3: "zyx" if channel_mode == "single" else "cyx", 4: "czyx"}
    if len(array.shape) not in axes:
        raise ShapeError(
            f"Image has wrong number of dimensions: {len(array.shape)} (shape {array.shape}). "
            f"Give 2 (y, x), 3 (z, y, x or c, y, x, by channel_mode) or 4 (c, z, y, x).",
            told=f"The image has {len(array.shape)} axes. An image has height and width, and may "
            f"have channels, planes or times.",
        )
    _refuse_channels_last(array.shape, channel_mode)
    return Image(array, axes[len(array.shape)], rgb=channel_mode == "rgb" and array.shape[0] == 3)


def _from_file(path: Path, channel_mode: str) -> Image:
    """Return the image in a file; where it does not name its axes, the mode says what three are."""
    from stroma.io import read_image

    image = read_image(path)
    if channel_mode == "single" or image.axes != "zyx" or _names_planes(path):
        return image
    image = read_image(path, axes="cyx")
    return replace(image, rgb=channel_mode == "rgb" and image.sizes["c"] == 3)


def _names_planes(path: Path) -> bool:
    """Tell whether a file says itself that its axis of three is one of planes."""
    if path.suffix.lower() == ".npy":
        return False
    if path.suffix.lower() not in (".tif", ".tiff"):
        return True
    import tifffile

    with tifffile.TiffFile(path) as file:
        return "Z" in file.series[0].axes or "T" in file.series[0].axes


def _arraylike(data: Any) -> Any:
    """Return what has a shape, a type and boxes as it is, and all else as numpy."""
    return data if hasattr(data, "shape") and hasattr(data, "dtype") else np.asarray(data)


def _in_order(array: Any) -> tuple[Any, str]:
    """Return an array that names its axes, as xarray's do, in our order; others as they are."""
    dims = list(getattr(array, "dims", ()))
    names = [str(dim).lower() for dim in dims]
    if not {"y", "x"} <= set(names) <= set(AXES) or len(set(names)) < len(names):
        return array, ""
    order = [a for a in AXES if a in names]
    return array.transpose(*(dims[names.index(a)] for a in order)), "".join(order)


def _refuse_channels_last(shape: tuple[int, ...], channel_mode: str) -> None:
    if channel_mode == "rgb" and len(shape) == 3 and shape[0] != 3 and shape[2] in (3, 4):
        raise ShapeError(
            f"The image of shape {shape} looks like rgb with the channels last. Channels come "
            f"first here: give numpy.moveaxis(image[..., :3], -1, 0).",
            told="The colours of the image are its last axis, where they should be the first.",
        )


def _selected(image: Image, in_channels: Sequence[int]) -> Image:
    if "c" not in image.sizes:
        raise ParameterError(
            "in_channels needs an image with channels; this one has none. For arrays, set "
            "channel_mode to 'multi' (or 'rgb').",
            told="The image has one channel only, so there is none to choose.",
        )
    count = image.sizes["c"]
    given = list(in_channels) if isinstance(in_channels, Iterable) else []
    whole = [c for c in given if isinstance(c, int | np.integer) and not isinstance(c, bool)]
    chosen = [int(c) for c in whole if 0 <= c < count]
    if len(chosen) != len(given) or not chosen:
        raise ParameterError(
            f"in_channels must be a list of channels from 0 to {count - 1}, got {in_channels!r}.",
            told=f"The image has {count} channels; some of those chosen are not among them.",
        )
    return image.at(c=chosen)


def labelled_points(annotation: Any, source: Source) -> Points:
    """Return the labelled pixels of an image; none where the annotation is None.

    Parameters
    ----------
    annotation : array-like, Image, Points or None
        Whole numbers, 0 where unlabelled (as masked pixels are), of the shape of the image without
        channels (axes of length 1 may be left out); or the labelled pixels themselves.
    source : Source
        The image it belongs to.

    Raises
    ------
    ShapeError
        If the shapes differ.
    LabelError
        If a value is not a whole number from 0 to 65535.
    """
    if annotation is None:
        return _joined([])
    if isinstance(annotation, Points):
        return _inside(annotation, source)
    array, _ = _in_order(_arraylike(annotation))
    if isinstance(array, np.ma.MaskedArray):
        array = array.filled(0)
    if not _fits(array.shape, source.shape):
        raise ShapeError(
            f"Image and annotations have different (non-channel) dimensions: the image has "
            f"{source.shape}, the annotations have {tuple(array.shape)}. Channels come first, and "
            f"channel_mode says whether a 3-D array holds planes or channels.",
            told=f"The strokes are {_by(array.shape)} pixels, the image is {_by(source.shape)}. "
            f"They belong to another image, or its planes are taken for channels.",
        )
    return _joined(list(_found(array, source)))


def _by(shape: Sequence[int]) -> str:
    """Return a shape for people: 3 x 512 x 512."""
    return " x ".join(str(n) for n in shape)


def _inside(points: Points, source: Source) -> Points:
    """Return points, if they lie in the image."""
    limits = (len(source.positions), *source.plane_shape)
    where = np.column_stack([points.plane, points.yx])
    if ((where < 0) | (where >= limits)).any():
        raise ShapeError(f"Labelled pixels lie outside the image, which has {source.shape}.")
    return points


def _fits(given: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Compare shapes, allowing leading axes of length 1 on either side."""
    plain = [tuple(shape[: len(shape) - 2]) for shape in (given, wanted)]
    outer = [tuple(n for n in lead if n != 1) for lead in plain]
    return len(given) >= 2 and outer[0] == outer[1] and tuple(given[-2:]) == tuple(wanted[-2:])


def _found(array: Any, source: Source) -> Iterator[Points]:
    """Yield the labelled pixels band by band, so that lazy annotations are never read whole."""
    outer = tuple(int(n) for n in array.shape[:-2])
    rows = max(1, BAND_PIXELS // array.shape[-1])
    for plane, position in enumerate(product(*map(range, outer))):
        for top in range(0, array.shape[-2], rows):
            values = _checked(_band(array, position, slice(top, top + rows)))
            y, x = np.nonzero(values)
            label = values[y, x].astype(np.uint16)
            yield Points(np.full(len(y), plane), np.column_stack([y + top, x]), label)


def _band(labels: Any, position: tuple[int, ...], rows: slice) -> NDArray[Any]:
    """Read some rows of one plane."""
    if isinstance(labels, Image):
        return labels.at(**dict(zip(labels.kept_axes, position, strict=False)), y=rows).read()
    return np.asarray(labels[(*position, rows, slice(None))])


def _checked(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind not in "buif":
        raise LabelError(f"Annotations are whole numbers, got values of type {values.dtype}.")
    if not values.any():
        return values
    if values.dtype.kind == "f" and not (np.isfinite(values) & (values == np.floor(values))).all():
        raise LabelError(
            "Annotations are whole numbers, 0 where unlabelled; got fractions, NaN or infinity. "
            "Round them first, or pass the label image rather than probabilities."
        )
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > MAX_LABEL:
        raise LabelError(
            f"Labels are 1 to {MAX_LABEL} and 0 where unlabelled, got {low} to {high}. "
            f"Set pixels without label to 0."
        )
    return values


def _joined(parts: list[Points]) -> Points:
    empty = Points(np.zeros(0, np.intp), np.zeros((0, 2), np.intp), np.zeros(0, np.uint16))
    return Points(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))


def thinned(points: Points, cap: int, seed: int = 0) -> Points:
    """Keep at most ``cap`` pixels of every label, the same ones however the strokes came about.

    A pixel's rank is a hash of its position, so keeping the lowest ranks does not depend on what
    else is labelled, or when.
    """
    keep = np.ones(len(points.label), bool)
    for label in np.unique(points.label):
        members = np.flatnonzero(points.label == label)
        if len(members) > cap:
            rank = ranks(Points(points.plane[members], points.yx[members], points.label), seed)
            keep[members[np.argsort(rank, kind="stable")[cap:]]] = False
    return Points(points.plane[keep], points.yx[keep], points.label[keep])


def ranks(points: Points, seed: int = 0) -> NDArray[np.uint64]:
    """Return one well-mixed number per position (the finaliser of SplitMix64, Steele 2014).

    Practically no two positions share one.
    """
    plane, yx = points.plane, points.yx
    h = np.full(len(plane), seed, np.uint64)
    for column in (plane, yx[:, 0], yx[:, 1]):
        h = (h ^ column.astype(np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
        h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        h ^= h >> np.uint64(31)
    return h
