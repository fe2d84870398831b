"""From labels or probabilities of pixels to objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stroma.data.image import Image
from stroma.errors import LabelError, ParameterError
from stroma.objects.boxes import located
from stroma.objects.entry import as_image, checked_spacing, micrometres
from stroma.objects.finding.parting import part_by_boundary, split
from stroma.objects.finding.pixels import Source, Told, source_of, told


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
    boundary : int or None
        The class between objects that touch (a rim, a membrane), along which they are parted where
        it is probable. Its pixels go to the objects they bound. With a split, objects are parted
        also at the necks that a boundary with gaps leaves between them.
    rise : float
        How much more probable the boundary is between two objects than inside each of them. Less
        parts along thin, faint or broken boundaries; more leaves objects whole in which there is
        something like a boundary, too.
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
    boundary: int | None = None
    rise: float = 0.3
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
        if self.boundary is not None and self.label in (None, self.boundary):
            raise ParameterError(
                "A boundary parts the objects of another class: name both (label, boundary). Got "
                f"{self.label} and {self.boundary}."
            )
        if not 0 < self.rise < 1:
            raise ParameterError(f"rise is a share between 0 and 1, got {self.rise}.")
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
    boundary_probability: Any = None,
    out: str | Path | None = None,
    **settings: Any,
) -> Any:
    """Return the objects in labels or probabilities of pixels, as a label image.

    With ``out`` it is written block by block, for images larger than memory: the same objects,
    since parts of blocks that touch are one, in the same order. That takes four bytes a pixel
    beside ``out`` while it works, and the memory of some blocks; where touching objects are parted,
    at least that of the box of the largest that is connected.

    Parameters
    ----------
    pixels : array or Image
        Integers are labels (0 for none): of classes, or of objects already told apart; numbers
        from 0 to 1 the probabilities of one class, or of all as channels, of which ``label``
        says one, counted from 1. (y, x), (z, y, x), or with ``axes`` over time or with channels.
    axes : str, optional
        Axes of an array, such as "tyx"; "yx" or "zyx" where left out.
    spacing : sequence of float
        Size of a pixel along (z,) y and x, in µm, where no Image says it.
    how : Finding, optional
        How objects are told apart.
    numbered : bool
        Whether labels are objects already: they stay one even in several parts, and keep their
        numbers; parts that are split off get new ones.
    boundary_probability : array or Image, optional
        Where pixels are labels: how probable the class ``boundary`` is in each, or how bright a
        stained membrane (from 0 to 1). Unless given, it is certain in the pixels of that class.
    out : path, optional
        OME-Zarr or TIFF to write the label image to; one that is there is replaced.
    **settings
        Fields of `Finding`, instead.

    Returns
    -------
    array of int32, or path
        Objects 1 to n in each frame, in the order of their first pixels; 0 where there is none.
        The path if ``out`` is given.
    """
    finding = replace(how or Finding(), **_known(settings))
    image = as_image(pixels, axes)
    sought = seek(image, finding, spacing, numbered=numbered, boundary=boundary_probability)
    if out is not None:
        from stroma.objects.blockwise.files import write_objects

        return write_objects(Path(out), sought)
    return find(sought)


def find(sought: Sought) -> NDArray[np.int32]:
    """Return objects as a label image in memory."""
    sizes = sought.source.own.sizes
    if "t" not in sizes:
        return _frame(sought)
    return np.stack([_frame(sought.at(t)) for t in range(sizes["t"])])


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    from stroma.registry import suggestion

    names = list(Finding.__dataclass_fields__)
    for name in settings:
        if name not in names:
            raise ParameterError(f"No setting {name!r} of objects. {suggestion(name, names)}")
    return settings


@dataclass(frozen=True, eq=False)
class Sought:
    """What objects are found in, and how.

    Parameters
    ----------
    source : Source
        Pixels.
    finding : Finding
        How.
    spacing : tuple of float
        Size of a pixel along (z,) y and x in µm; empty if unknown.
    numbered : bool
        Whether labels are objects already.
    """

    source: Source
    finding: Finding
    spacing: tuple[float, ...]
    numbered: bool

    def at(self, t: int) -> Sought:
        """Return one frame."""
        return replace(self, source=self.source.at(t=t))

    def sizes(self) -> tuple[float, float]:
        """Return the least and the greatest size of an object, in pixels."""
        pixel = float(np.prod(self.spacing)) if self.finding.size_in == "um" else 1.0
        return self.finding.min_size / pixel, self.finding.max_size / pixel


def seek(
    image: Image,
    finding: Finding,
    spacing: Sequence[float] = (),
    *,
    numbered: bool = False,
    boundary: Any = None,
) -> Sought:
    """Return what objects are found in, and how, checked to fit; reads nothing.

    Parameters
    ----------
    image, finding, spacing, numbered, boundary
        As `objects_of` takes them.
    """
    known = checked_spacing(spacing, image) or micrometres(image)
    if finding.size_in == "um" and not known:
        raise ParameterError(
            "The size of a pixel is not known, so sizes cannot be in µm². Give it (spacing), or "
            "sizes in pixels."
        )
    if numbered and finding.boundary is not None:
        raise ParameterError(
            "A class is the boundary between objects of another class, not between those that "
            "have numbers already. Leave out boundary, or numbered."
        )
    return Sought(source_of(image, finding, boundary), finding, known, numbered)


def _frame(sought: Sought) -> NDArray[np.int32]:
    """Return the objects of one plane or volume."""
    pixels = told(sought.source, sought.finding)
    if sought.numbered and int(pixels.labels.max(initial=0)) >= 2**31:
        raise LabelError(f"Numbers of objects are below {2**31}, got {pixels.labels.max()}.")
    if sought.numbered:
        parts = pixels.labels.astype(np.int32)
    else:
        parts = connected(pixels.labels, sought.finding.connectivity)
    parts = parted(reaching(parts, pixels), pixels, sought.finding, sought.spacing)
    least, most = sought.sizes()
    border = sought.finding.border
    return kept(parts, min_size=least, max_size=most, border=border, renumber=not sought.numbered)


def reaching(parts: NDArray[np.int32], pixels: Told) -> NDArray[np.int32]:
    """Return parts that have a pixel of the core, and one of an object rather than a boundary."""
    for must in (pixels.core, pixels.body):
        if must is not None:
            reached = np.zeros(int(parts.max(initial=0)) + 1, bool)
            reached[parts[must]] = True
            parts = np.where(reached[parts], parts, 0).astype(np.int32)
    return parts


def parted(
    parts: NDArray[np.int32],
    pixels: Told,
    finding: Finding,
    spacing: tuple[float, ...],
    *,
    around: NDArray[np.bool_] | None = None,
) -> NDArray[np.int32]:
    """Return connected parts as objects: touching ones parted, as far as that is asked for."""
    if pixels.body is not None and pixels.chance is not None:
        reach = parts.ndim if finding.connectivity == "corner" else 1
        return part_by_boundary(
            parts,
            pixels.body,
            pixels.chance,
            reach=reach,
            rise=finding.rise,
            depth=finding.split,
            spacing=spacing,
            around=around,
        )
    return split(parts, finding.split, spacing=spacing) if finding.split else parts


def connected(labels: NDArray[np.integer], connectivity: str = "corner") -> NDArray[np.int32]:
    """Return the connected parts of equal labels, numbered from 1."""
    from skimage.measure import label

    reach = labels.ndim if connectivity == "corner" else 1
    return np.asarray(label(labels, background=0, connectivity=reach), np.int32)


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
