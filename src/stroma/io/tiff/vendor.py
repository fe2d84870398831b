"""Spacing in the private tags of microscopes: LSM, MetaMorph (STK), Aperio (SVS), and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stroma.io.axes import Facts
from stroma.io.units import in_one_unit

AXES = {"lsm": {"P": "positions", "M": "mosaic"}}
"""What letters mean in kinds of files that do not use them as others do."""


def facts(file: Any) -> Facts | None:
    """Return what the private tags of a file say; None where it has none that are known."""
    for flag, read in _KNOWN.items():
        if getattr(file, f"is_{flag}", False):
            spacing, unit = read(file)
            return Facts(spacing, unit, _names(file) if flag == "stk" else ())
    return None


def axes(series: Any) -> str:
    """Return the axes of a series; wavelengths are channels, also as planes of MetaMorph.

    The time between such planes is that of changing the filter.
    """
    found, counted = str(series.axes), wavelengths(series)
    if "C" not in found:
        found = found.replace("E", "C")
    several = len(counted) > 1 and len(set(counted)) == len(counted)
    return f"C{found[1:]}" if several and len(counted) == series.shape[0] else found


def wavelengths(series: Any) -> list[float]:
    """Return the wavelength of every plane of a stack of MetaMorph; empty for other files."""
    if series.kind != "stk":
        return []
    said: Mapping[str, Any] = series.keyframe.parent.stk_metadata or {}
    return [float(one) for one in said.get("Wavelengths", ())]


def doubts(series: Any, path: Path) -> tuple[str, ...]:
    """Say that planes of several wavelengths are mixed with others, which a stack cannot name."""
    several = sorted(set(wavelengths(series)))
    if len(several) < 2 or axes(series)[0] == "C":
        return ()
    return (
        f"{path} has planes of {len(several)} wavelengths along one axis; they are read as one "
        "stack. Save one file for each wavelength to have channels.",
    )


Spacing = tuple[dict[str, float], str]


def _lsm(file: Any) -> Spacing:
    """Read the record of a Zeiss LSM; lengths are in metres, times in seconds."""
    said: Mapping[str, Any] = file.lsm_metadata or {}
    voxel = {a: (1e6 * float(said.get(f"VoxelSize{a.upper()}", 0)), "µm") for a in "xyz"}
    spacing, unit = in_one_unit(voxel)
    # "Intervall" is how the record spells it.
    step = float(said.get("TimeIntervall", 0))
    return spacing | ({"t": step} if step > 0 else {}), unit


def _stk(file: Any) -> Spacing:
    """Read the calibration of MetaMorph; distances between planes are in its unit too.

    Where the calibration is off, its lengths are those of nothing.
    """
    said: Mapping[str, Any] = file.stk_metadata or {}
    unit = str(said.get("CalibrationUnits", "")) if said.get("SpatialCalibration", 1) else ""
    lengths = {a: (float(said.get(f"{a.upper()}Calibration", 0)), unit) for a in "xy"}
    steps = said.get("ZDistance")
    if steps is not None and len(steps):
        lengths["z"] = float(steps[0]), unit
    spacing, found = in_one_unit(lengths)
    interval = _interval(said)
    return spacing | ({"t": interval} if interval > 0 else {}), found


def _names(file: Any) -> tuple[str, ...]:
    """Return what channels of MetaMorph are called, by their wavelengths."""
    series = file.series[0]
    return tuple(f"{one:g} nm" for one in wavelengths(series)) if axes(series)[0] == "C" else ()


def _interval(said: Mapping[str, Any]) -> float:
    """Return the usual time between the planes of a stack of MetaMorph, in seconds."""
    taken = said.get("DatetimeCreated")
    if taken is None or len(taken) < 2:
        return 0.0
    return float(np.median(np.diff(taken) / np.timedelta64(1, "s")))


def _svs(file: Any) -> Spacing:
    """Read the micrometres per pixel in the description of an Aperio scan."""
    for part in str(file.pages.first.description).split("|"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == "MPP":
            size = float(value)
            return in_one_unit({"y": (size, "µm"), "x": (size, "µm")})
    return {}, ""


def _metaseries(file: Any) -> Spacing:
    """Read the calibration of MetaXpress."""
    said = (file.metaseries_metadata or {}).get("PlaneInfo", {})
    unit = str(said.get("spatial-calibration-units", ""))
    sizes = {a: float(said.get(f"spatial-calibration-{a}", 0)) for a in "xy"}
    return in_one_unit({a: (n, unit) for a, n in sizes.items()})


_KNOWN: dict[str, Callable[[Any], Spacing]] = {
    "lsm": _lsm,
    "stk": _stk,
    "svs": _svs,
    "metaseries": _metaseries,
}
