"""From labels or probabilities of pixels to objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stroma.errors import ParameterError
from stroma.objects.entry import as_image
from stroma.objects.finding.frame import find
from stroma.objects.finding.how import Finding
from stroma.objects.finding.sought import seek


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
        from 0 to 1 the probabilities of one class, or of all as channels. (y, x), (z, y, x), or
        with ``axes`` over time or with channels. Among probabilities, ``label`` and ``boundary``
        are channels counted from 1, whatever labels or names their classes have: of an Image with
        named channels ``image.channels.index(name) + 1``.
    axes : str, optional
        Axes of an array, such as "tyx"; "yx" or "zyx" where left out.
    spacing : sequence of float
        Size of a pixel along (z,) y and x, in µm, where no Image says it.
    how : Finding, optional
        How objects are told apart.
    numbered : bool
        Whether labels are objects already: they stay one even in several parts, and keep their
        numbers; parts that are split off get new ones, after the largest of the frame, in the
        order of their first pixels.
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
        Objects 1 to n in each frame, in the order of their first pixels (those that have numbers
        keep them); 0 where there is none. The path if ``out`` is given.

    Raises
    ------
    ImageError
        If there are no pixels.
    LabelError
        If there are no numbers left for objects that are split off.
    FormatError, MissingFileError
        If ``out`` cannot be written, before anything is read.
    """
    finding = replace(how or Finding(), **_known(settings))
    image = as_image(pixels, axes)
    sought = seek(image, finding, spacing, numbered=numbered, boundary=boundary_probability)
    if out is not None:
        from stroma.objects.blockwise.files import write_objects

        return write_objects(Path(out), sought)
    return find(sought)


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    from stroma.registry import suggestion

    names = list(Finding.__dataclass_fields__)
    for name in settings:
        if name not in names:
            raise ParameterError(f"No setting {name!r} of objects. {suggestion(name, names)}")
    return settings
