"""What packages do to values before and after their networks.

Only what looks at each value by itself is done to blocks. What is measured on an image (its mean,
its percentiles) is measured once, on the whole of it, and must come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from stroma.errors import FormatError, short
from stroma.zoo.packages.tensors import Entering

NEXT = ("zero_mean_unit_variance", "scale_range")
"""What is measured on an image."""

AFFINE = ("ensure_dtype", "scale_linear", "fixed_zero_mean_unit_variance")
"""What changes nothing where the result is brought to a mean or range of its own."""

ARROWS, STARS = "cellpose_flow_dynamics", "stardist_postprocessing"
DECODED = (ARROWS, STARS)
"""What makes objects of values."""


@dataclass(frozen=True)
class Fixed:
    """Something that is done to every value by itself.

    Parameters
    ----------
    name : str
        What the format calls it.
    values : mapping of str to object
        What goes with it.
    """

    name: str
    values: Mapping[str, Any]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (B, C, *space) values after it."""
        given: dict[str, Any] = {key: _spread(value, x) for key, value in self.values.items()}
        found: torch.Tensor = self._done(x, given)
        return found

    def _done(self, x: torch.Tensor, given: Mapping[str, Any]) -> Any:
        if self.name == "scale_linear":
            return x * given.get("gain", 1.0) + given.get("offset", 0.0)
        if self.name in ("fixed_zero_mean_unit_variance", "zero_mean_unit_variance"):
            return (x - given["mean"]) / given["std"]
        if self.name == "binarize":
            return (x > given["threshold"]).to(x.dtype)
        if self.name == "clip":
            return x.clamp(given.get("min"), given.get("max"))
        if self.name == "sigmoid":
            return x.sigmoid()
        return x.softmax(1) if self.name == "softmax" else x


KNOWN = {
    "scale_linear": ("gain", "offset"),
    "fixed_zero_mean_unit_variance": ("mean", "std"),
    "zero_mean_unit_variance": ("mean", "std"),
    "binarize": ("threshold",),
    "clip": ("min", "max"),
    "sigmoid": (),
    "softmax": (),
    "ensure_dtype": (),
}
"""What is done to values, and the numbers that go with it."""


def _spread(value: Any, x: torch.Tensor) -> Any:
    """Return one value for each channel in the shape of an array; a single one as it is."""
    if not isinstance(value, Sequence):
        return value
    return torch.tensor(value, dtype=x.dtype, device=x.device).reshape(1, -1, *(1,) * (x.ndim - 2))


def before(given: Entering, path: Path) -> tuple[dict[str, Any], list[Fixed]]:
    """Return how an image is normalised, and what follows.

    Parameters
    ----------
    given : Entering
        What goes into the network.
    path : Path
        The package, for people.

    Returns
    -------
    normalisation : dict
        Parameters of `stroma.training.feeding.normalise.Normalisation`.
    fixed : list of Fixed
        What is done to the normalised values.

    Raises
    ------
    FormatError
        If a step is not known, or the image would have to be measured after another step.
    """
    steps = list(given.operations)
    at = next((i for i, one in enumerate(steps) if _is_measured(one)), None)
    if at is None:
        return _scheme({}, given, path), [_fixed(one, path) for one in steps]
    for one in steps[:at]:
        if one["name"] not in AFFINE:
            raise FormatError(
                f"{path} measures the image after {short(one['name'])}, which is done to blocks "
                "only here. Ask its authors for a package whose network does that itself."
            )
    return _scheme(steps[at], given, path), [_fixed(one, path) for one in steps[at + 1 :]]


def after(operations: Sequence[Mapping[str, Any]], path: Path) -> list[Fixed]:
    """Return what is done to the values of an output, up to what makes objects of them.

    Raises
    ------
    FormatError
        If a step is not known.
    """
    found = []
    for one in operations:
        if one["name"] in DECODED or one["name"] == "custom":
            break
        found.append(_fixed(one, path))
    return found


def decoder(operations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return what makes objects of the values of an output; None where nothing does."""
    return next((one for one in operations if one["name"] in (*DECODED, "custom")), None)


def _is_measured(step: Mapping[str, Any]) -> bool:
    return step["name"] in NEXT and step.get("mode") != "fixed"


def _fixed(step: Mapping[str, Any], path: Path) -> Fixed:
    name = step["name"]
    unfit = step.get("axis", "channel") not in ("channel", "c")
    if name not in KNOWN or unfit or (_is_measured(step) and name != "ensure_dtype"):
        raise FormatError(
            f"{path} asks for {short(name)}, which is not done here block by block. Done are "
            f"{', '.join(KNOWN)}, and {' or '.join(NEXT)} of the image, at the beginning."
        )
    values = {key: step[key] for key in KNOWN[name] if step.get(key) is not None}
    if any(not _is_number(value) for value in values.values()):
        raise FormatError(f"{path}: {name} goes with numbers, got {short(values)}.")
    return Fixed(name, values)


def _is_number(value: Any) -> bool:
    every = value if isinstance(value, list) else [value]
    return all(isinstance(one, int | float) for one in every)


def _scheme(step: Mapping[str, Any], given: Entering, path: Path) -> dict[str, Any]:
    """Return the parameters of our normalisation."""
    count, name = given.channels, step.get("name")
    if name is None:
        return {"schemes": ["none"] * count}
    together = _together(step, given, path) and count > 1
    if name == "zero_mean_unit_variance":
        return {"schemes": ["zscore"] * count, "together": together}
    low = float(step.get("min_percentile", 0) or 0)
    high = float(step.get("max_percentile", 100) or 100)
    if (low, high) == (0, 100):
        return {"schemes": ["rescale"] * count, "together": together}
    if together:
        raise FormatError(
            f"{path} asks for percentiles of all {count} channels together, which are not "
            "measured here; those of each channel, and the mean of all, are."
        )
    return {"schemes": ["percentile"] * count, "percentiles": [low, high]}


def _together(step: Mapping[str, Any], given: Entering, path: Path) -> bool:
    """Tell whether channels are measured together, after a look at what is."""
    if step.get("reference_tensor"):
        raise FormatError(f"{path} measures another tensor, {short(step['reference_tensor'])}.")
    named = step.get("axes")
    if named is None:
        return True
    letters = {"channel": "c", "batch": "b"}
    axes = {letters.get(str(a), str(a)) for a in named}
    if not set(given.space) <= axes:
        raise FormatError(
            f"{path} measures along {short(named)}; here images are measured as a whole."
        )
    return "c" in axes
