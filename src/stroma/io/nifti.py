"""NIfTI 1 and 2 in one file, packed or not; their headers are read by nibabel.

The first axis of the file is x, the second y, the third z, then come time and channels. Values are
read as they are stored, whatever way the axes run in the sample; labels that are stored another way
than their image are refused (:mod:`stroma.io.labels`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header, data_type_codes, unit_codes
from nibabel.nifti2 import Nifti2Header
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from stroma.data.image import Image, LazyArray
from stroma.errors import FormatError, short
from stroma.io.axes import Facts, arrange, asked
from stroma.io.gzipped import head, values_at
from stroma.io.lazy import DAMAGE
from stroma.io.series import Series, chosen
from stroma.io.units import in_one_unit, seconds, symbol

AXES = "xyztcab"
"""Axes of the file, fastest first; images have none of the last two."""

HEADERS = {348: Nifti1Header, 540: Nifti2Header}
"""Length of a header, which is its first number -> what reads it."""

PAIR = (b"ni1", b"ni2")
"""Marks of headers whose values lie in another file."""


@dataclass(frozen=True)
class Scaled:
    """Values that are stored as ``(value - offset) / slope``, scaled box by box.

    Parameters
    ----------
    array : array-like
        The values as stored.
    slope, offset : float
        What makes them those that are meant.
    """

    array: LazyArray
    slope: float
    offset: float
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along every axis."""
        return self.array.shape

    def __getitem__(self, key: Any, /) -> NDArray[Any]:
        """Read a box given by integers and slices, one per axis."""
        stored = np.asarray(self.array[key])
        return (stored * np.float64(self.slope) + self.offset).astype(self.dtype)


def read(path: Path, *, axes: str | None = None, series: int | None = None) -> Image:
    """Return the image in a NIfTI file, read in parts unless it is packed."""
    chosen(path, series, [Series(0)])
    known = _stored(path)
    letters = known.axes if axes is None else asked(axes, known.shape, path)
    facts = Facts(known.spacing, known.unit, alpha=axes is None and known.shape[-1] == 4)
    array: LazyArray = values_at(path, known.offset, known.shape, known.dtype)
    if known.scaling != (1, 0):
        array = Scaled(array, *known.scaling)
    return arrange(array, letters, facts, path)


def orientation(path: Path) -> str:
    """Return where the axes of a file run to in the sample ("RAS": right, anterior, superior).

    Empty where the file does not say.
    """
    said = _header(path)
    if not said["sform_code"] and not said["qform_code"]:
        return ""
    try:
        with np.errstate(all="ignore"):
            ends = aff2axcodes(said.get_best_affine())
    except (*DAMAGE, HeaderDataError, np.linalg.LinAlgError):
        return ""  # values can be read without it
    return "" if None in ends else "".join(ends)


@dataclass(frozen=True)
class _Stored:
    """Where the values begin, and what they are; axes slowest first."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str
    scaling: tuple[float, float]
    spacing: dict[str, float]
    unit: str


def _stored(path: Path) -> _Stored:
    """Read the header.

    Raises
    ------
    FormatError
        If it is none, or its values are of a kind that is not read.
    """
    said = _header(path)
    count, code = int(said["dim"][0]), int(said["datatype"])
    if not 1 <= count <= 7:
        raise _refused(path, f"it declares {count} dimensions")
    if code not in data_type_codes.dtype:
        raise _refused(path, f"its values are of the type {code}, which there is not")
    try:
        offset = int(said["vox_offset"]) or said.single_vox_offset
        slope, inter = said.get_slope_inter()
    except (*DAMAGE, HeaderDataError) as error:
        raise _refused(path, error) from error
    sizes = [int(n) for n in said["dim"][1 : count + 1]] + [1] * (2 - count)
    kept = [i for i, n in enumerate(sizes) if n != 1 or i < 2][::-1]
    letters, shape = "".join(AXES[i] for i in kept), tuple(sizes[i] for i in kept)
    dtype = said.get_data_dtype()
    if colours := len(dtype.names or ()):
        dtype, letters, shape = np.dtype(np.uint8), letters + "s", (*shape, colours)
        slope = inter = None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise FormatError(f"{path} holds values of type {short(dtype)}; an image holds numbers.")
    scaling = (slope or 1, inter or 0)
    return _Stored(offset, shape, dtype, letters, scaling, *_spacing(said, count))


def _spacing(said: Any, count: int) -> tuple[dict[str, float], str]:
    """Return the distance of samples along every axis, and the unit of length."""
    code = int(said["xyzt_units"])
    unit, time = (unit_codes.label.get(c, "") for c in (code % 8, code - code % 8))
    steps = dict(zip(AXES, map(abs, map(float, said["pixdim"][1 : count + 1])), strict=False))
    found, known = in_one_unit({a: (steps[a], unit) for a in "xyz" if a in steps})
    if not symbol(unit):
        found = {a: n for a, n in steps.items() if a in "xyz" and 0 < n < math.inf}
    frame = seconds(steps.get("t", 0), time)
    return found | ({"t": frame} if frame and frame < math.inf else {}), known


def _header(path: Path) -> Any:
    """Read the header.

    Raises
    ------
    FormatError
        If it is none of NIfTI, or that of a file without values.
    """
    data = head(path, max(HEADERS))
    for length, reader in HEADERS.items():
        if len(data) >= length and length in (_first(data, "little"), _first(data, "big")):
            try:
                said = reader(data[:length], check=False)
            except (*DAMAGE, WrapStructError) as error:
                raise _refused(path, error) from error
            if bytes(said["magic"])[:3] in PAIR:
                raise _refused(path, "its values lie in another file")
            return said
    raise _refused(path, "it does not begin with a header of NIfTI 1 or 2")


def _first(data: bytes, order: Literal["little", "big"]) -> int:
    return int.from_bytes(data[:4], order)


def _refused(path: Path, why: Exception | str) -> FormatError:
    return FormatError(
        f"{path} cannot be read as NIfTI: {short(why)}. If it is not damaged, save it again as "
        "one file (.nii or .nii.gz), or as TIFF."
    )
