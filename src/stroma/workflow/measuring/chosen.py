"""Which class of a file a name or number means: of labels, or of channels of probabilities."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stroma.data.classes import MAX_LABEL, Class
from stroma.data.image import Image
from stroma.errors import ParameterError
from stroma.io.labels import read_classes
from stroma.objects.blockwise.room import SIDES, blocks

LOG = logging.getLogger(__name__)

SHOWN = 8
"""Classes of a file that messages name."""


def chosen(
    path: Path, source: Image, of_class: str | None, boundary: str | None
) -> tuple[int | None, int | None]:
    """Return the numbers of the class of objects and of that between them, as `Finding` has them.

    Parameters
    ----------
    path : Path
        Labels or probabilities.
    source : Image
        What is in it.
    of_class, boundary : str or None
        Names or numbers.

    Returns
    -------
    tuple of int or None
        Labels; among probabilities, channels counted from 1. None where unnamed.

    Raises
    ------
    ParameterError
        If the file has no such class, does not say which it is, or one has to be named.
    """
    number = _channel if source.dtype.kind == "f" else _label
    if of_class is not None:
        label = number(of_class, path, source)
        return label, None if boundary is None else number(boundary, path, source)
    if boundary is not None:
        raise ParameterError(
            "A boundary parts the objects of a class: name the class of the objects, too. Objects "
            "that have numbers are apart already."
        )
    _require_no_classes(path, source)
    return None, None


def _require_no_classes(path: Path, source: Image) -> None:
    """Refuse files of several classes, of which none is named."""
    if source.dtype.kind == "f" and source.sizes.get("c", 1) > 1:
        raise ParameterError(f"{path} holds probabilities of several classes; name one of them.")
    if classes := read_classes(path):
        names = _listed(c.name for c in classes)
        raise ParameterError(f"{path} holds classes ({names}), no objects; name one of them.")


def _label(name: str, path: Path, source: Image) -> int:
    """Return the label of a class."""
    named = {c.name: c.label for c in read_classes(path)}
    if name in named:
        return named[name]
    if name.isdecimal() and int(name) > 0 and (not named or int(name) in named.values()):
        return int(name)
    known = _listed(named) or "the number of a label"
    raise ParameterError(f"{path} has no class {name!r}. Known: {known}.")


def _channel(name: str, path: Path, source: Image) -> int:
    """Return the channel of a class, counted from 1.

    Channels are in the order of labels, of which some may be left out: where channels have names,
    a number is that of a class which is called by it, never that of the channel.
    """
    names, count = source.channels, source.sizes.get("c", 1)
    if len(names) != count:
        return _counted(name, path, count)
    called = Class(int(name)).name if name.isdecimal() and _is_label(name) else name
    for wanted in (name, called):
        if names.count(wanted) == 1:
            return names.index(wanted) + 1
    why = "" if not name.isdecimal() else " It does not say which labels these have: name one."
    raise ParameterError(f"{path} has no one class {name!r}. Known: {_listed(names)}.{why}")


def _is_label(name: str) -> bool:
    return 1 <= int(name) <= MAX_LABEL


def _counted(name: str, path: Path, count: int) -> int:
    """Return a channel of those that have no names."""
    if name.isdecimal() and 1 <= int(name) <= count:
        if count > 1:
            LOG.warning(
                "%s does not name its %d classes, so %s is taken for its channel %s, counted from "
                "1, whatever the label of that class is.",
                *(path, count, name, name),
            )
        return int(name)
    raise ParameterError(
        f"{path} does not name its {count} classes, so {name!r} is none: give the number of a "
        f"channel, 1 to {count}."
    )


def tell_if_absent(path: Path, labels: Image, label: int) -> None:
    """Say that no pixel has a label, where that is why there are no objects.

    Parameters
    ----------
    path : Path
        The file.
    labels : Image
        What is in it.
    label : int
        Of the class of objects.
    """
    there: set[int] = set()
    for box in blocks(labels.shape, (1,) * (len(labels.shape) - 2) + SIDES[2]):
        part = labels.at(**dict(zip(labels.kept_axes, box, strict=True))).read()
        there.update(np.unique(part).tolist())
    if label not in there:
        known = _listed(str(n) for n in sorted(there - {0})) or "none at all"
        LOG.warning("No pixel of %s has the label %d. It has %s.", path, label, known)


def _listed(names: Iterable[str]) -> str:
    """Return the first of some names."""
    every = list(names)
    return ", ".join(every[:SHOWN]) + (", ..." if len(every) > SHOWN else "")
