"""The orientation tag of TIFF and EXIF: told, not applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ORIENTATIONS = {
    2: "mirrored left to right",
    3: "turned by 180 degrees",
    4: "mirrored top to bottom",
    5: "mirrored at the diagonal",
    6: "turned by 90 degrees to the right",
    7: "mirrored at the other diagonal",
    8: "turned by 90 degrees to the left",
}
"""What viewers that obey the orientation tag of TIFF and EXIF do to the stored pixels."""


def oriented(tag: Any, path: Path) -> tuple[str, ...]:
    """Say what an orientation tag asks for, which is not done."""
    how = ORIENTATIONS.get(tag) if isinstance(tag, int) else None
    if how is None:
        return ()
    return (
        f"{path} asks viewers to show it {how}; its pixels are read as they are stored, so strokes "
        "from a program that turns it do not fit. Save it turned, without the tag.",
    )
