"""The parameters of a model, checked whenever one is set."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from stroma.classify import CLASSIFIERS
from stroma.errors import FileError, ParameterError, UnknownNameError
from stroma.pixel.files.schema import shortened
from stroma.pixel.files.yml import read_values
from stroma.registry import suggestion

FEATURE_KEYS = frozenset(
    {
        "channel_mode",
        "normalize",
        "norm_from",
        "voxel_size",
        "fe_name",
        "fe_layers",
        "fe_scalings",
        "fe_order",
        "fe_use_min_features",
    }
)
"""Parameters that decide what the features are; a trained classifier depends on them."""


MAX_NAME = 1000
MAX_LENGTH = 1000
MAX_DEPTH = 2
MAX_SCALINGS = 16


def _one_of(*allowed: Any) -> Callable[[Any], str | None]:
    listed = ", ".join(repr(a) for a in allowed)

    def check(value: Any) -> str | None:
        same = any(type(value) is type(a) and value == a for a in allowed)
        return None if same else f"one of {listed}"

    return check


def _integer(low: int, high: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and low <= value <= high else f"a whole number from {low} to {high}"

    return check


def _number(low: float, high: float) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if is_number and low <= value <= high else f"a number from {low} to {high}"

    return check


def _factor(value: Any) -> str | None:
    """Accept a factor for all axes, or one for each."""
    several = isinstance(value, list) and len(value) == 3
    fine = all(_integer(-20, 20)(v) is None for v in (value if several else [value]))
    return None if fine else "a whole number from -20 to 20, or three of them for z, y and x"


def _voxel(value: Any) -> str | None:
    several = isinstance(value, list) and len(value) == 3
    positive = several and all(_number(1e-9, 1e9)(v) is None for v in value)
    return None if positive else "three lengths above 0, in µm, along z, y and x"


def _classifier(value: Any) -> str | None:
    return None if value in list(CLASSIFIERS) else f"one of {', '.join(map(repr, CLASSIFIERS))}"


def _text(value: Any) -> str | None:
    named = isinstance(value, str) and 0 < len(value) <= MAX_NAME
    return None if named else f"a name of at most {MAX_NAME} characters"


def _plain(value: Any, depth: int = 0) -> Any:
    """Return numpy's values as Python's own, and arrays, lists and tuples as new lists."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(value, list | tuple):
        return value
    if depth > MAX_DEPTH or len(value) > MAX_LENGTH:
        raise ParameterError(
            f"A parameter holds lists of at most {MAX_LENGTH} values, {MAX_DEPTH} deep."
        )
    return [_plain(v, depth + 1) for v in value]


def _per_part(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a check that also accepts a list with a value, or None, per part of a combination."""

    def of_parts(value: Any) -> bool:
        nested = isinstance(value, list) and all(v is None or check(v) for v in value)
        return bool(value) and (check(value) or nested)

    return of_parts


def _is_scalings(value: Any) -> bool:
    plain = isinstance(value, list) and 0 < len(value) <= MAX_SCALINGS
    return plain and all(_integer(1, 64)(v) is None for v in value)


def _is_layers(value: Any) -> bool:
    kinds = {type(v) for v in value} if isinstance(value, list) else set()
    return kinds in ({int}, {str})


def _scalings(value: Any) -> str | None:
    """Accept a list of factors, or one such list (or None) per part of a combination."""
    fits = _per_part(_is_scalings)(value)
    return None if fits else f"a list of at most {MAX_SCALINGS} whole numbers from 1 to 64"


def _layers(value: Any) -> str | None:
    """Accept names or positions, or one such list (or None) per part of a combination."""
    if _per_part(_is_layers)(value):
        return None
    return "a list of layer names or of positions, not both (see get_fe_layer_keys())"


_RULES: dict[str, Callable[[Any], str | None]] = {
    "classifier": _text,
    "channel_mode": _one_of("single", "multi", "rgb"),
    "normalize": _one_of(1, 2, 3),
    "norm_from": _one_of("image", "training"),
    "image_downsample": _factor,
    "voxel_size": _voxel,
    "seg_smoothening": _integer(0, 20),
    "edge_smoothing": _integer(0, 64),
    "crf": _number(0, 10),
    "tile_annotations": _one_of(True, False),
    "tile_image": _one_of(True, False),
    "use_dask": _one_of(True, False),
    "unpatch_order": _integer(0, 5),
    "unpatch_guided": _one_of(True, False),
    "fe_name": _text,
    "fe_layers": _layers,
    "fe_scalings": _scalings,
    "fe_order": _integer(0, 5),
    "fe_use_min_features": _one_of(True, False),
    "fe_use_gpu": _one_of(True, False, "auto", "cpu", "cuda", "mps"),
    "clf": _classifier,
    "clf_iterations": _integer(1, 1000),
    "clf_learning_rate": _number(0.001, 1.0),
    "clf_depth": _integer(1, 16),
    "clf_use_gpu": _one_of(True, False),
    "clf_max_pixels": _integer(1, 10_000_000),
}


@dataclass(eq=True)
class Param:
    """Everything a model can be told; None means "as the extractor or Stroma prefers".

    A value is checked when it is set; a wrong one raises, and the old one stays.

    Parameters
    ----------
    classifier : str, optional
        Kind of the classifier that was fitted ("CatBoost", "RandomForest", "Logistic"), set by
        training; None while untrained.
    channel_mode : {"single", "multi", "rgb"}
        What a 3-D array means: a stack of planes, channels, or the colours red, green, blue.
    normalize : {1, 2, 3}
        1 none; 2 by the statistics of the whole stack, per channel; 3 of each plane.
    norm_from : {"image", "training"}
        Whose statistics: those of the image at hand, or those of the training images together,
        stored with the model (for images taken under comparable conditions).
    image_downsample : int or list of int
        -20 to 20. Above 1 the image is reduced by that factor, below -1 enlarged: planes along y
        and x, volumes (with extractors of three axes) along z too. Three numbers, for z, y and x,
        reduce a volume differently along its axes.
    voxel_size : list of float, optional
        Size of a voxel along z, y and x, in µm, for extractors of three axes; that of the image
        unless given.
    seg_smoothening : int
        0 to 20. Radius, in pixels, of a majority filter on segmentations; 0 and 1 are off.
    edge_smoothing : int
        0 to 64. Radius, in working pixels, of a guided filter that smooths probabilities but keeps
        them apart along the edges of the image; 0 is off.
    crf : float
        0 to 10. Strength of a dense conditional random field, which gives pixels that look alike
        and lie near each other the same class; 1 is usual, 0 is off.
    tile_annotations, tile_image : bool
        Kept for compatibility. Everything runs in tiles, with the same result either way.
    use_dask : bool
        Run blocks on dask.distributed.
    unpatch_order : int
        0 to 5. Interpolation of the probabilities of patches: 0 nearest, 1 linear, 2 to 5 spline.
    unpatch_guided : bool
        Where all features are coarser than pixels, classify their cells, and give pixels the
        classes of the cells near them that look like them (joint bilateral upsampling), instead.
    fe_name : str
        Feature extractor, or several joined by "+".
    fe_layers : list of str or list of int
        Layers of the extractor, by name or position in ``get_fe_layer_keys()``. For a combination,
        a list with one such list, or None, per part.
    fe_scalings : list of int
        Factors of the feature pyramid. For a combination, a list with one such list per part.
    fe_order : int
        0 to 5. Interpolation of coarse feature maps.
    fe_use_min_features : bool
        Keep as many features of every layer as the smallest has.
    fe_use_gpu : bool, or "auto", "cpu", "cuda", "mps"
        Where networks compute features. True is "auto": on the graphics card, if there is one.
    clf : str
        "catboost", "forest", "logistic", "ensemble" or "families".
    clf_iterations, clf_learning_rate, clf_depth
        Number, learning rate (0.001 to 1) and depth (1 to 16) of CatBoost's trees.
    clf_use_gpu : bool
        Kept for compatibility; classifiers are fitted on the CPU.
    clf_max_pixels : int
        Labelled pixels per class that are trained on, a seeded choice where there are more.
    """

    classifier: str | None = None
    channel_mode: str | None = "single"
    normalize: int | None = None
    norm_from: str | None = None
    image_downsample: int | list[int] | None = None
    voxel_size: list[float] | None = None
    seg_smoothening: int | None = None
    edge_smoothing: int | None = None
    crf: float | None = None
    tile_annotations: bool | None = None
    tile_image: bool | None = None
    use_dask: bool | None = None
    unpatch_order: int | None = None
    unpatch_guided: bool | None = None
    fe_name: str | None = None
    fe_layers: list[Any] | None = None
    fe_scalings: list[Any] | None = None
    fe_order: int | None = None
    fe_use_min_features: bool | None = None
    fe_use_gpu: bool | str | None = None
    clf: str | None = None
    clf_iterations: int | None = None
    clf_learning_rate: float | None = None
    clf_depth: int | None = None
    clf_use_gpu: bool | None = None
    clf_max_pixels: int | None = None

    def __setattr__(self, key: str, value: Any) -> None:
        """Set a parameter after checking it.

        Raises
        ------
        UnknownNameError
            If there is no such parameter.
        ParameterError
            If the value is not allowed.
        """
        self._require(key)
        value = _plain(value)
        wanted = None if value is None else _RULES[key](value)
        if wanted:
            raise ParameterError(f"The parameter {key!r} must be {wanted}, got {shortened(value)}.")
        object.__setattr__(self, key, value)

    @staticmethod
    def get_keys() -> list[str]:
        """Return the names of all parameters."""
        return [f.name for f in fields(Param)]

    @classmethod
    def _require(cls, key: str) -> None:
        if key not in _RULES:
            hint = suggestion(key, cls.get_keys())
            raise UnknownNameError(f"No parameter named {key!r}. {hint}")

    def get(self, key: str) -> Any:
        """Return a value by name."""
        self._require(key)
        return getattr(self, key)

    def set_single(self, key: str, val: Any) -> None:
        """Set one value by name."""
        setattr(self, key, val)

    def set(self, **kwargs: Any) -> None:
        """Set several values; if one is wrong, none is set."""
        trial = self.copy()
        for key, value in kwargs.items():
            setattr(trial, key, value)
        for key in kwargs:
            setattr(self, key, getattr(trial, key))

    def copy(self) -> Self:
        """Return an independent copy."""
        twin = type(self)()
        for key, value in self.items():
            setattr(twin, key, copy.deepcopy(value))
        return twin

    def filled(self, defaults: Param) -> Param:
        """Return a copy in which every None is replaced by the default."""
        whole = defaults.copy()
        for key, value in self.items():
            if value is not None:
                setattr(whole, key, copy.deepcopy(value))
        return whole

    def items(self) -> Iterator[tuple[str, Any]]:
        """Iterate over names and values."""
        return ((key, getattr(self, key)) for key in self.get_keys())

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Iterate over names and values."""
        return self.items()

    def __getitem__(self, key: str) -> Any:
        """Return a value by name."""
        return self.get(key)

    def __contains__(self, key: object) -> bool:
        """Tell whether there is such a parameter."""
        return key in _RULES

    def __len__(self) -> int:
        """Return the number of parameters."""
        return len(self.get_keys())

    def save(self, path: str | Path) -> None:
        """Write all parameters as YAML, sorted by name.

        Raises
        ------
        FileError
            If the folder is missing, the disk full, or writing is not allowed.
        """
        import yaml

        from stroma.io.atomic import replaced

        text, path = yaml.safe_dump(dict(self.items()), sort_keys=True), Path(path)
        try:
            with replaced(path) as temporary:
                temporary.write_text(text, "utf-8")
        except OSError as error:
            if isinstance(error, FileError):
                raise
            reason = error.strerror or str(error)
            raise FileError(
                f"Cannot write the parameter file {path}: {reason}. "
                "The folder must exist and have room."
            ) from error

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read parameters from YAML.

        Raises
        ------
        MissingFileError, FileError, FormatError
            If the file is not there, cannot be read, or is not a mapping of parameters.
        ParameterError
            If it holds a value that is not allowed.

        Warns
        -----
        UserWarning
            If it names parameters that this version does not know; they are left out.
        """
        values = read_values(Path(path))
        return cls._parsed(values, str(path))

    @classmethod
    def _parsed(cls, values: dict[Any, Any], source: str) -> Self:
        param = cls()
        unknown = [shortened(key)[1:-1] for key in values if key not in _RULES]
        if unknown:
            warnings.warn(
                f"{source!r} holds parameters of another version, which are left out: "
                f"{', '.join(unknown)}.",
                stacklevel=4,
            )
        for key in values.keys() & _RULES.keys():
            try:
                setattr(param, key, values[key])
            except ParameterError as error:
                raise ParameterError(f"In {source!r}: {error}") from error
        return param
