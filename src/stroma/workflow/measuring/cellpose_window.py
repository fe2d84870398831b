"""Objects as the window of Cellpose opens them, beside an image: ``NAME_seg.npy``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stroma.data.image import Image
from stroma.data.objects import LABEL, ObjectTable
from stroma.data.outlines import inner_edges
from stroma.errors import FormatError
from stroma.io.atomic import replaced


def write_seg(path: Path, labels: Image, table: ObjectTable) -> None:
    """Write objects as a dict of arrays, which numpy keeps as a pickle.

    Cellpose counts objects from 1 without gaps; they are in the order of their numbers.

    Parameters
    ----------
    path : Path
        The image's name with ``_seg.npy``, in its folder: then the window finds it by itself.
    labels : Image
        A plane or a volume of objects.
    table : ObjectTable
        Those that are written.

    Raises
    ------
    FormatError
        If it has several times, which such a file has no place for.
    """
    if labels.sizes.get("t", 1) > 1:
        raise FormatError(f"{path.name} has room for one time. Write the objects of each alone.")
    values = np.squeeze(labels.read())
    numbers = np.unique(table[LABEL])
    order = np.searchsorted(numbers, values).clip(max=max(len(numbers) - 1, 0))
    known = numbers[order] == values if len(numbers) else np.zeros(values.shape, bool)
    kind = np.uint16 if len(numbers) < 2**16 else np.uint32
    masks = np.where(known, order + 1, 0).astype(kind)
    planes = masks if masks.ndim == 3 else masks[None]
    edges = np.stack([inner_edges(plane) for plane in planes]).reshape(masks.shape)
    found: dict[str, Any] = {
        "masks": masks,
        "outlines": np.where(edges, masks, 0).astype(kind),
        "ismanual": np.zeros(len(numbers), bool),
        "chan_choose": [0, 0],
        "filename": "",
    }
    with replaced(path) as new, new.open("wb") as file:
        np.save(file, np.array(found, dtype=object), allow_pickle=True)
