"""Classes of objects as a network tells them, beside their measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stroma.data.objects import LABEL, ObjectTable
from stroma.errors import FormatError, ParameterError
from stroma.workflow.applying.load import NETWORK, load

if TYPE_CHECKING:
    from stroma.training.model import Network


def is_network_file(path: str | Path) -> bool:
    """Tell whether a model is a network, by the name of its file."""
    return Path(path).suffix == NETWORK


def network_of_objects(path: str | Path, *, image: bool) -> Network:
    """Return a network that learned classes of objects.

    Parameters
    ----------
    path : path
        Of its file.
    image : bool
        Whether there is an image, which it looks at.

    Raises
    ------
    FormatError
        If it learned something else.
    ParameterError
        If there is no image.
    """
    if not image:
        raise ParameterError(
            f"{path} is a network, which looks at the image around every object. Add image=."
        )
    network: Any = load(path)
    if not network.of_objects:
        raise FormatError(
            f"{path} is a network that finds {network.target.result}, not classes of objects. "
            "Segment the images with it (stroma segment), and measure what it finds."
        )
    found: Network = network
    return found


def with_classes(table: ObjectTable, found: ObjectTable) -> ObjectTable:
    """Return measurements of objects with what was found of each."""
    assert np.array_equal(_keys(table), _keys(found)), "objects come by time, and then by number"
    return table.extended({name: found[name] for name in found if name not in (LABEL, "t")})


def _keys(table: ObjectTable) -> NDArray[np.float64]:
    return np.stack([table["t"] if "t" in table else np.zeros(table.rows), table[LABEL]])
