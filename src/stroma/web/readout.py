"""What is under the cursor: intensities, the class, and how probable the classes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stroma.blocks.box import Box
from stroma.data.cut import flat
from stroma.errors import ParameterError
from stroma.session import Session

Plain = dict[str, Any]


def readout(session: Session, values: Mapping[str, Any]) -> Plain:
    """Answer with what is known of one pixel.

    "values" are the intensities, one per channel; "label" is the class, 0 where there is no
    result; "probability" and "uncertainty" are from 0 to 1, None where there is no result.
    """
    one, plane = session.image(values["image"]), values["plane"]
    y, x = int(values["y"]), int(values["x"])
    box = Box(y, x, y + 1, x + 1)
    if min(y, x) < 0 or box.clipped(Box.of(one.plane_shape(plane))) != box:
        raise ParameterError(f"The image {one.name!r} has no pixel at row {y}, column {x}.")
    rows, columns = box.slices
    pixel = flat(one.image.at(**plane)).read({"y": rows, "x": columns})
    label = int(session.result(one.key, box, plane=plane).values[0, 0])
    return {
        "values": [_number(v) for v in np.ravel(pixel)],
        "label": label,
        "probability": _share(session, one.key, box, plane, label) if label else None,
        "uncertainty": _share(session, one.key, box, plane, None) if label else None,
    }


def _share(
    session: Session, image: str, box: Box, plane: Mapping[str, int], label: int | None
) -> float | None:
    layer: Any = "uncertainty" if label is None else "probability"
    found = session.result(image, box, plane=dict(plane), layer=layer, label=label).values[0, 0]
    return None if np.isnan(found) else round(float(found), 3)


def _number(value: Any) -> float | int | None:
    """Return a value as JSON knows it; None for what is no number."""
    plain = value.item()
    return plain if isinstance(plain, int) or np.isfinite(plain) else None
