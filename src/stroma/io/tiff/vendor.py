"""Spacing in the private tags of microscopes: LSM, MetaMorph (STK), Aperio (SVS), and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from stroma.io.axes import Facts
from stroma.io.units import in_one_unit


def facts(file: Any) -> Facts | None:
    """Return what the private tags of a file say; None where it has none that are known."""
    for flag, read in _KNOWN.items():
        if getattr(file, f"is_{flag}", False):
            spacing, unit = read(file)
            return Facts(spacing, unit)
    return None


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
