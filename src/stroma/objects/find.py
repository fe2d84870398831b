"""From labels or probabilities of pixels to objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import ImageError, LabelError, ParameterError, ShapeError
from stroma.objects.boxes import checked, located
from stroma.objects.entry import as_image, checked_spacing, micrometres
from stroma.objects.kernels import cut


@dataclass(frozen=True)
class Finding:
    """How objects are told from pixels, and from each other.

    Parameters
    ----------
    label : int or None
        The class whose connected parts are objects; of every class where None. Classes are never
        joined.
    threshold : float
        Least probability of a pixel of an object.
    core : float or None
        Probability that an object reaches somewhere, or is left out (hysteresis).
    split : float
        Touching objects are parted where each is deeper, by so many pixels, than the neck between
        them; 0 parts none.
    min_size, max_size : float
        Objects that are smaller or larger are left out.
    size_in : {"px", "um"}
        Whether sizes are numbers of pixels, or µm² (of volumes µm³).
    border : bool
        Whether objects that touch the border of the image are kept.
    connectivity : {"corner", "side"}
        Whether pixels that share but a corner are connected.
    """

    label: int | None = None
    threshold: float = 0.5
    core: float | None = None
    split: float = 0.0
    min_size: float = 0.0
    max_size: float = np.inf
    size_in: Literal["px", "um"] = "px"
    border: bool = True
    connectivity: Literal["corner", "side"] = "corner"

    def __post_init__(self) -> None:
        """Check the parameters."""
        core = self.threshold if self.core is None else self.core
        if not 0 < self.threshold <= core <= 1:
            raise ParameterError(
                "The threshold is above 0, and that of the core from there to 1; got "
                f"{self.threshold} and {self.core}."
            )
        if not 0 <= self.split < np.inf or not 0 <= self.min_size <= self.max_size:
            raise ParameterError(
                "Splitting and sizes are 0 or more, the least size not above the greatest; got "
                f"split {self.split}, sizes {self.min_size} to {self.max_size}."
            )
        if self.size_in not in ("px", "um") or self.connectivity not in ("corner", "side"):
            raise ParameterError(
                "Sizes are in 'px' or 'um', pixels connected by 'corner' or 'side'; got "
                f"{self.size_in!r} and {self.connectivity!r}."
            )


def objects_of(
    pixels: Any,
    *,
    axes: str | None = None,
    spacing: Sequence[float] = (),
    how: Finding | None = None,
    numbered: bool = False,
    **settings: Any,
) -> NDArray[np.int32]:
    """Return the objects in labels or probabilities of pixels, as a label image.

    Parameters
    ----------
    pixels : array or Image
        Integers are labels (0 for none): of classes, or of objects already told apart; numbers
        from 0 to 1 the probabilities of one class. (y, x), (z, y, x), or with ``axes`` over time.
    axes : str, optional
        Axes of an array, such as "tyx"; "yx" or "zyx" where left out.
    spacing : sequence of float
        Size of a pixel along (z,) y and x, in µm, where no Image says it.
    how : Finding, optional
        How objects are told apart.
    numbered : bool
        Whether labels are objects already: they stay one even in several parts, and keep their
        numbers; parts that are split off get new ones.
    **settings
        Fields of `Finding`, instead.

    Returns
    -------
    array of int32
        Objects 1 to n in each frame, in the order of their first pixels; 0 where there is none.
    """
    finding = replace(how or Finding(), **_known(settings))
    image = as_image(pixels, axes)
    if "c" in image.kept_axes:
        raise ShapeError("Objects are found in one channel; choose that of a class.")
    known = checked_spacing(spacing, image) or micrometres(image)
    if finding.size_in == "um" and not known:
        raise ParameterError(
            "The size of a pixel is not known, so sizes cannot be in µm². Give it (spacing), or "
            "sizes in pixels."
        )
    if "t" not in image.sizes:
        return _frame(image.read(), finding, known, numbered)
    return np.stack(
        [_frame(image.at(t=t).read(), finding, known, numbered) for t in range(image.sizes["t"])]
    )


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    from stroma.registry import suggestion

    names = list(Finding.__dataclass_fields__)
    for name in settings:
        if name not in names:
            raise ParameterError(f"No setting {name!r} of objects. {suggestion(name, names)}")
    return settings


def _frame(
    values: NDArray[Any], finding: Finding, spacing: tuple[float, ...], numbered: bool
) -> NDArray[np.int32]:
    """Return the objects of one plane or volume."""
    masked = _masked(values, finding)
    if numbered and int(masked.max(initial=0)) >= 2**31:
        raise LabelError(f"Numbers of objects are below {2**31}, got {masked.max()}.")
    parts = masked.astype(np.int32) if numbered else connected(masked, finding.connectivity)
    if values.dtype.kind == "f" and finding.core is not None:
        reached = np.zeros(int(parts.max(initial=0)) + 1, bool)
        reached[parts[values >= finding.core]] = True
        parts = np.where(reached[parts], parts, 0).astype(np.int32)
    if finding.split:
        parts = split(parts, finding.split, spacing=spacing)
    pixel = float(np.prod(spacing)) if finding.size_in == "um" else 1.0
    return kept(
        parts,
        min_size=finding.min_size / pixel,
        max_size=finding.max_size / pixel,
        border=finding.border,
        renumber=not numbered,
    )


def _masked(values: NDArray[Any], finding: Finding) -> NDArray[np.integer]:
    """Return the labels of pixels that belong to objects."""
    if values.dtype.kind != "f":
        labels = checked(values)
        if labels.dtype.kind == "b":
            return labels.astype(np.uint8)
        return labels if finding.label is None else (labels == finding.label).astype(np.uint8)
    if not (values.min(initial=0) >= 0 and values.max(initial=0) <= 1):
        raise ImageError("Probabilities are numbers from 0 to 1; these are not, or hold NaN.")
    return (values >= finding.threshold).astype(np.uint8)


def connected(labels: NDArray[np.integer], connectivity: str = "corner") -> NDArray[np.int32]:
    """Return the connected parts of equal labels, numbered from 1."""
    from skimage.measure import label

    reach = labels.ndim if connectivity == "corner" else 1
    return np.asarray(label(labels, background=0, connectivity=reach), np.int32)


def split(
    labels: NDArray[np.int32], depth: float, *, spacing: tuple[float, ...] = ()
) -> NDArray[np.int32]:
    """Return objects parted at their necks.

    The distance to the nearest pixel outside is a landscape in which each part is a hill; hills
    that rise less than ``depth`` above the pass to a higher one are one with it (Meyer and
    Beucher, "Morphological segmentation", 1990).

    Parameters
    ----------
    labels : (y, x) or (z, y, x) int32 array
        Objects.
    depth : float
        In pixels of the axis with the smallest.
    spacing : tuple of float
        Size of a pixel along each axis.
    """
    relative = np.array(spacing) / min(spacing) if spacing else np.ones(labels.ndim)
    found = located(labels)
    result = found.labels.copy()
    count = int(found.codes.max(initial=0))
    for i in range(len(found)):
        mask = cut(found.labels, found.codes[i], found.box[i]).astype(bool)
        mask = mask if labels.ndim == 3 else mask[1]
        parts = _hills(mask, depth, relative)
        if parts is None:
            continue
        where = tuple(slice(*found.box[i, [a, a + 3]]) for a in range(3))
        parts = parts[(slice(1, -1),) * labels.ndim].reshape(result[where].shape)
        result[where][parts > 1] = parts[parts > 1] + (count - 1)
        count += int(parts.max()) - 1
    return result.reshape(labels.shape)


def _hills(
    mask: NDArray[np.bool_], depth: float, relative: NDArray[np.float64]
) -> NDArray[np.int32] | None:
    """Return the parts of one object from 1, or None where it is one; a margin is around it."""
    from scipy.ndimage import distance_transform_edt
    from skimage.measure import label
    from skimage.morphology import local_maxima, reconstruction
    from skimage.segmentation import watershed

    height = distance_transform_edt(mask, sampling=relative)
    lowered = np.maximum(height - depth * (1 - 1e-6), 0)  # a hill that rises just as much is one
    # Two tops of one height are one hill where the pass between them is hardly lower.
    tops = local_maxima(reconstruction(lowered, height), connectivity=mask.ndim)
    seeds = np.asarray(label(tops, connectivity=mask.ndim), np.int32)
    if seeds.max() < 2:
        return None
    return np.asarray(watershed(-height, seeds, mask=mask, connectivity=mask.ndim), np.int32)


def kept(
    labels: NDArray[np.integer],
    *,
    min_size: float = 0,
    max_size: float = np.inf,
    border: bool = True,
    renumber: bool = True,
) -> NDArray[np.int32]:
    """Return the objects of a plane or volume that are of some size, and not at its border.

    Parameters
    ----------
    labels : (y, x) or (z, y, x) int array
        Objects.
    min_size, max_size : float
        In pixels.
    border : bool
        Whether objects at the border of the image are kept.
    renumber : bool
        Number what is left from 1, in the order of first pixels; else labels stay.
    """
    found = located(labels)
    good = (found.count >= min_size) & (found.count <= max_size)
    if not border:
        good &= ~found.touches
    new = np.zeros(int(found.codes.max(initial=0)) + 1, np.int32)
    new[found.codes[good]] = found.names[good]
    result = new[found.labels].reshape(labels.shape)
    return _in_order(result) if renumber else result


def _in_order(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    names, first = np.unique(labels, return_index=True)
    first = first[names > 0]
    names = names[names > 0]
    new = np.zeros(int(names.max(initial=0)) + 1, np.int32)
    new[names[np.argsort(first)]] = np.arange(1, len(names) + 1)
    return new[labels]


def plane_of(image: Image, label: int) -> Image:
    """Return the channel of one class of an image of probabilities, classes counted from 1.

    Raises
    ------
    ParameterError
        If there is no such class.
    """
    count = image.sizes.get("c", 1)
    if not 1 <= label <= count:
        raise ParameterError(f"There are probabilities of classes 1 to {count}, not of {label}.")
    return image.at(c=label - 1) if "c" in image.sizes else image
