"""Files of network weights: arrays of half precision in one ``.npz``."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from stroma.errors import FormatError


def read_weights(raw: bytes, name: str) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a file in single precision.

    Raises
    ------
    FormatError
        If the bytes are not such a file.
    """
    try:
        with np.load(BytesIO(raw), allow_pickle=False) as arrays:
            return {key: arrays[key].astype(np.float32) for key in arrays.files}
    except (ValueError, EOFError, OSError, BadZipFile) as error:
        raise FormatError(f"{name} is no file of weights: {error}") from error


def write_weights(path: Path, weights: Mapping[str, NDArray[np.floating]]) -> None:
    """Write arrays in half precision."""
    arrays: dict[str, Any] = {key: value.astype(np.float16) for key, value in weights.items()}
    with path.open("wb") as file:
        np.savez(file, **arrays)
