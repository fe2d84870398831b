"""A zarr array whose chunks are read when they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from stroma.errors import FormatError, StromaError
from stroma.io.lazy import DAMAGE, damaged


class Chunks:
    """An array of a zarr folder; what cannot be decoded is an error that names the folder.

    Parameters
    ----------
    array : zarr.Array
        The array.
    path : Path
        What the user named, for messages.
    """

    def __init__(self, array: zarr.Array[Any], path: Path) -> None:
        self.array = array
        self.path = path

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        dtype: np.dtype[Any] = self.array.dtype
        return dtype

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis.

        Raises
        ------
        FormatError
            If a chunk is damaged.
        """
        try:
            return np.asarray(self.array[key])
        except FormatError as error:
            if str(self.path) in str(error):
                raise
            raise FormatError(f"{self.path}: {error}") from None
        except StromaError:
            raise
        except DAMAGE as error:
            raise damaged(self.path, error) from error
