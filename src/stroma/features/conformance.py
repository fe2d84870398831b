"""What every extractor must keep: the checks behind ``stroma.testing.check_extractor``."""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from stroma.errors import ContractError
from stroma.features.contract import (
    Batched,
    Extractor,
    FeatureMap,
    Normalisation,
    Wants,
    axes_of,
    halo_of,
    stride_of,
)

CORE = {"yx": (40, 56), "zyx": (2, 8, 12)}
"""Least sides of the cores that are computed, in pixels."""

TOLERANCE = {np.dtype(np.float32): 1e-4, np.dtype(np.float16): 4e-3}
"""How far results may be apart, relative to the largest value of the same feature."""

LARGEST_PICKLE = 2**16


def check_extractor(extractor: Extractor, *, rng: int | np.random.Generator = 0) -> None:
    """Check an extractor; see `stroma.testing.check_extractor`."""
    rng = np.random.default_rng(rng)
    _check_declaration(extractor)
    _check_pickling(extractor)
    for channels in _channel_counts(extractor):
        block = _random_block(extractor, channels, rng)
        maps = _check_call(extractor, block)
        _check_names(extractor, channels, maps)
        _check_maps(extractor, block, maps)
        _check_repetition(extractor, block, maps)
        _check_view(extractor, block, maps)
        _check_threads(extractor, block, maps, rng)
        _check_batch(extractor, block, maps, rng)
        if extractor.halo is not None:
            _check_cuts(extractor, block, maps, rng)


def _require(condition: bool, extractor: Extractor, message: str) -> None:
    if not condition:
        raise ContractError(f"{type(extractor).__name__}: {message}")


def _check_declaration(extractor: Extractor) -> None:
    _require(
        not isinstance(extractor, type) and isinstance(extractor, Extractor),
        extractor,
        f"not an extractor object with halo, stride, wants, names and a call; got {extractor!r}.",
    )
    params = getattr(type(extractor), "__dataclass_params__", None)
    _require(
        params is not None and params.frozen,
        extractor,
        "not a frozen dataclass. Write @dataclass(frozen=True) above the class.",
    )
    halo, stride, wants = extractor.halo, extractor.stride, extractor.wants
    axes = axes_of(extractor)
    _require(axes in CORE, extractor, f"axes are {axes!r}, allowed are {' and '.join(CORE)}.")
    _require(
        halo is None or _is_per_axis(halo, axes, 0),
        extractor,
        f"halo is {halo!r}, allowed is an int from 0, for volumes also three of them, or None for "
        "global context.",
    )
    _require(
        _is_per_axis(stride, axes, 1),
        extractor,
        f"stride is {stride!r}, allowed is an int from 1, for volumes also three of them.",
    )
    valid = isinstance(wants, Wants) and wants.normalisation in get_args(Normalisation)
    valid = valid and (wants.channels is None or (_is_int(wants.channels) and wants.channels >= 1))
    _require(
        valid,
        extractor,
        f"wants is {wants!r}, allowed is Wants(normalisation, channels) with one of "
        f"{get_args(Normalisation)} and an int from 1 or None.",
    )


def _is_int(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_per_axis(value: Any, axes: str, least: int) -> bool:
    several = value if isinstance(value, tuple) and len(value) == len(axes) == 3 else (value,)
    return all(_is_int(v) and v >= least for v in several)


def _halo(extractor: Extractor) -> tuple[int, ...]:
    """Return the context along every axis that the extractor looks at; 0 where it is global."""
    return (halo_of(extractor) or (0, 0, 0))[-len(axes_of(extractor)) :]


def _stride(extractor: Extractor) -> tuple[int, ...]:
    return stride_of(extractor)[-len(axes_of(extractor)) :]


def _step(feature_map: FeatureMap) -> tuple[int, ...]:
    """Return the sides of a cell along every axis of a map."""
    step, axes = feature_map.step, feature_map.values.ndim - 1
    return step[-axes:] if isinstance(step, tuple) else (step,) * axes


def _channel_counts(extractor: Extractor) -> Sequence[int]:
    wanted = extractor.wants.channels
    several = (1, 2) if axes_of(extractor) == "zyx" else (1, 2, 3)
    return several if wanted is None else (wanted,)


def _core_shape(extractor: Extractor) -> list[int]:
    """Return sides that are multiples of the stride, an odd number of them if it is above 1."""
    sides = zip(CORE[axes_of(extractor)], _stride(extractor), strict=True)
    return [(math.ceil(n / s) // 2 * 2 + 3) * s for n, s in sides]


def _random_block(
    extractor: Extractor, channels: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    sides = zip(_core_shape(extractor), _halo(extractor), strict=True)
    shape = [n + 2 * h for n, h in sides]
    return rng.normal(size=(channels, *shape)).astype(np.float32)


def _check_call(extractor: Extractor, block: NDArray[np.float32]) -> list[FeatureMap]:
    """Compute a block that must not be changed, by an extractor that must not change."""
    given, before = block.copy(), pickle.dumps(extractor)
    maps = extractor(given)
    _require(
        given.tobytes() == block.tobytes(),
        extractor,
        "the call changed its block. Work on a copy: block = block.copy().",
    )
    _require(
        pickle.dumps(extractor) == before,
        extractor,
        "the call changed the extractor. Keep no results in self; it pickles as its parameters.",
    )
    _require(
        isinstance(maps, list) and bool(maps) and all(isinstance(m, FeatureMap) for m in maps),
        extractor,
        f"a call returns a list of at least one FeatureMap, got {type(maps).__name__}.",
    )
    return maps


def _check_names(extractor: Extractor, channels: int, maps: list[FeatureMap]) -> None:
    """Compare names and features, also for one channel that is repeated (a channel series)."""
    features = sum(m.features for m in maps)
    for count in {channels, channels if extractor.wants.channels is None else 1}:
        names = extractor.names([f"channel {i}" for i in range(count)])
        _require(
            isinstance(names, list) and all(isinstance(name, str) for name in names),
            extractor,
            f"names returns a list of str, got {names!r}.",
        )
        _require(
            len(names) == features,
            extractor,
            f"declares {len(names)} names but computes {features} features "
            f"for {channels} channels.",
        )
        twice = sorted({name for name in names if names.count(name) > 1})
        _require(not twice, extractor, f"each feature has a name of its own, repeated: {twice}.")


def _check_maps(extractor: Extractor, block: NDArray[np.float32], maps: list[FeatureMap]) -> None:
    core = [n - 2 * h for n, h in zip(block.shape[1:], _halo(extractor), strict=True)]
    wanted = "(F, h, w)" if len(core) == 2 else "(F, d, h, w)"
    for m in maps:
        _require(
            m.values.ndim == block.ndim and m.values.dtype in (np.float32, np.float16),
            extractor,
            f"values are {wanted} in float32 or float16, "
            f"got shape {m.values.shape} in {m.values.dtype}.",
        )
        _require(bool(np.isfinite(m.values).all()), extractor, "features are NaN or infinite.")
        _require(
            _is_per_axis(m.step, axes_of(extractor), 1)
            and not any(a % b for a, b in zip(_stride(extractor), _step(m), strict=True)),
            extractor,
            f"a map's step is a divisor of the stride {extractor.stride}, got {m.step!r}. "
            "Declare a stride that is a multiple of every step.",
        )
        _require(
            m.order in range(6) and not any(m.origin),
            extractor,
            f"a map has an order from 0 to 5 and its origin at 0, got {m.order} and {m.origin}.",
        )
        covered = [n * s for n, s in zip(m.values.shape[1:], _step(m), strict=True)]
        _require(
            covered == core,
            extractor,
            f"a map covers {covered} pixels of a core of {core}: "
            f"shape {m.values.shape}, step {m.step}, halo {extractor.halo}.",
        )
    _require(
        any(np.ptp(m.values) > 0 for m in maps),
        extractor,
        "all features of a random image are constant.",
    )


def _check_repetition(
    extractor: Extractor, block: NDArray[np.float32], maps: list[FeatureMap]
) -> None:
    """Compute the block again, by a pickled copy; by the extractor itself only if that differs."""
    if _same(pickle.loads(pickle.dumps(extractor))(block.copy()), maps):
        return
    _require(
        _same(extractor(block.copy()), maps),
        extractor,
        "the same block gave different features. Randomness needs a seed among the parameters.",
    )
    _require(False, extractor, "its pickled copy computes different features.")


def _check_view(extractor: Extractor, block: NDArray[np.float32], maps: list[FeatureMap]) -> None:
    """Compute the block as a view that is neither contiguous nor writeable."""
    view = block.repeat(2, axis=-2).repeat(2, axis=-1)[..., ::2, ::2]
    view.flags.writeable = False
    _require(
        _agree(extractor(view), maps),
        extractor,
        "a view that is not contiguous gave other features than its copy.",
    )


def _check_cuts(
    extractor: Extractor,
    block: NDArray[np.float32],
    whole: list[FeatureMap],
    rng: np.random.Generator,
) -> None:
    """Compare the features of parts with the same parts of the whole."""
    for cut in _cuts(extractor, rng):
        seen = zip(cut, _halo(extractor), strict=True)
        window = block[(slice(None), *(slice(c.start, c.stop + 2 * h) for c, h in seen))]
        expected = [dataclasses.replace(m, values=m.values[_cells(cut, m)]) for m in whole]
        place = ", ".join(f"{c.start}:{c.stop}" for c in cut)
        _require(
            _agree(extractor(window.copy()), expected, within=whole),
            extractor,
            f"features of the core [{place}] computed alone differ "
            f"from those computed with its surroundings. The halo ({extractor.halo}) or the stride "
            f"({extractor.stride}) is too small, or statistics of the block are used.",
        )


def _cuts(extractor: Extractor, rng: np.random.Generator) -> Iterator[tuple[slice, ...]]:
    """Yield cores within the whole one: its smallest corner, one step inside, and random ones."""
    strides, sides = _stride(extractor), _core_shape(extractor)
    axes = list(zip(strides, sides, strict=True))
    yield tuple(slice(0, s) for s in strides)
    yield tuple(slice(s, n) for s, n in axes)
    for _ in range(3):
        ends = [sorted(rng.choice(n // s + 1, 2, replace=False) * s) for s, n in axes]
        yield tuple(slice(int(a), int(b)) for a, b in ends)


def _cells(cut: Sequence[slice], feature_map: FeatureMap) -> tuple[slice, ...]:
    """Return the index of the cells of a map that lie in a part of the core."""
    sides = zip(cut, _step(feature_map), strict=True)
    return (slice(None), *(slice(c.start // s, c.stop // s) for c, s in sides))


def _check_pickling(extractor: Extractor) -> None:
    try:
        data = pickle.dumps(extractor)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ContractError(
            f"{type(extractor).__name__}: cannot be pickled: {error}. "
            "Define the class at the top of a module and keep only plain parameters in it."
        ) from error
    _require(
        len(data) <= LARGEST_PICKLE,
        extractor,
        f"pickles to {len(data)} bytes. It is its parameters; load weights when called, "
        "through a cache of the module.",
    )
    _require(pickle.loads(data) == extractor, extractor, "it is not equal to its pickled copy.")


def _check_threads(
    extractor: Extractor,
    block: NDArray[np.float32],
    maps: list[FeatureMap],
    rng: np.random.Generator,
) -> None:
    """Compute the block at the same time as another one."""
    other = _random_block(extractor, len(block), rng)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(extractor, (block, other))
    _require(
        _agree(first, maps) and _agree(second, extractor(other)),
        extractor,
        "blocks in parallel threads gave other features than alone.",
    )


def _check_batch(
    extractor: Extractor,
    block: NDArray[np.float32],
    maps: list[FeatureMap],
    rng: np.random.Generator,
) -> None:
    """Compute the block together with others, of the same shape and of another."""
    if not isinstance(extractor, Batched):
        return
    other = _random_block(extractor, len(block), rng)
    turned = np.swapaxes(other, -2, -1)
    found = extractor.batch([other, block, turned])
    expected = [extractor(other), maps, extractor(turned)]
    _require(
        len(found) == 3 and all(map(_agree, found, expected)),
        extractor,
        "blocks in a batch gave other features, or another order, than each alone.",
    )


def _same(a: list[FeatureMap], b: list[FeatureMap]) -> bool:
    """Tell whether two results are equal to the last bit."""
    return len(a) == len(b) and all(
        np.array_equal(one.values, other.values) for one, other in zip(a, b, strict=True)
    )


def _agree(
    found: list[FeatureMap], expected: list[FeatureMap], within: list[FeatureMap] | None = None
) -> bool:
    """Tell whether two results agree up to rounding, by the values of larger maps if given."""
    if [m.values.shape for m in found] != [m.values.shape for m in expected]:
        return False
    triples = zip(found, expected, within or expected, strict=True)
    return all(_close(a.values, b.values, large.values) for a, b, large in triples)


def _close(found: NDArray[Any], expected: NDArray[Any], large: NDArray[Any]) -> bool:
    space = tuple(range(1, large.ndim))
    size = np.abs(large.astype(np.float64)).max(axis=space, keepdims=True)
    difference = np.abs(found.astype(np.float64) - expected)
    return bool((difference <= TOLERANCE[expected.dtype] * size).all())
